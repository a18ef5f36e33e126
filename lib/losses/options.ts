import type { CriterionOptions } from '../../binding';
import { asTensor, type TensorLike } from '../convert';
import { isFloat } from '../dtype';
import { fail, failType } from '../errors';
import { numbersOf, operandOf, type Tensor } from '../tensor';
import { checkOptions } from '../validate';

/** The options of every loss. */
export interface LossOptions {
  /**
   * What the inputs are. `'logits'`: a sigmoid for the binary losses, a softmax over the classes for
   * the categorical ones, fused and exact in the tails. Default: `'probabilities'`.
   */
  from?: 'probabilities' | 'logits';
  /**
   * `true`: dense targets of the inputs' shape, `false`: class ids. Default: the inputs' shape means
   * dense, any other shape with one element per row means ids.
   */
  oneHot?: boolean;
  /**
   * Bounds that probabilities are clamped to; the gradient is 0 beyond them. `null`: no clamp.
   * Default: `[0.001, 1]`. Not for logits.
   */
  clamp?: readonly [low: number, high: number] | null;
  /**
   * `'mean'`: the sum over the normaliser; `'sum'`; `'none'`: one loss per target, `[N]` for the
   * categorical losses and `[N, C]` for the binary ones; `'matrix'`: `[N, C]`, each element divided
   * by the normaliser. Default: `'mean'`.
   */
  reduction?: 'mean' | 'sum' | 'none' | 'matrix';
  /** The value of a mean over nothing. Default: `'nan'`. */
  onEmpty?: 'nan' | 'zero';
  /**
   * The weight of the target's term, a number or one per class; the binary losses weigh the terms of
   * the other classes by `1 - alpha`. Default: none, which is 1 for both.
   */
  alpha?: number | TensorLike;
}

/** The options of the binary losses. */
export interface BinaryOptions extends LossOptions {
  /**
   * The share of a target `y` that counts against its class: `'complement'`, `1 - y`, or
   * `'zero-targets'`, 1 where `y` is 0. They differ for soft targets. Default: `'complement'`.
   */
  negatives?: 'complement' | 'zero-targets';
}

/** The options of the focal losses. */
export interface FocalOptions {
  /** The exponent of `1 - p`, at least 0. Default: 2. */
  gamma?: number;
}

/** What makes a loss: the formula, and what `mean` divides by. */
export type LossKind = Pick<CriterionOptions, 'term' | 'sides' | 'normalizer'>;

/** Options as a criterion keeps them. */
export interface Settings {
  native: CriterionOptions;
  oneHot: boolean | undefined;
  alpha: number | Tensor | undefined;
}

type Options = LossOptions & BinaryOptions & FocalOptions;

const choices = {
  from: ['probabilities', 'logits'],
  reduction: ['mean', 'sum', 'none', 'matrix'],
  onEmpty: ['nan', 'zero'],
  negatives: ['complement', 'zero-targets'],
} as const;

/** Checks the options of a loss and fills in the defaults. */
export function readOptions(kind: LossKind, options: Options): Settings {
  checkOptions(options, namesOf(kind), ['clamp']);
  const from = readChoice('from', options.from);
  const [clampLow, clampHigh] = readClamp(options.clamp, from);
  return {
    native: {
      ...kind,
      link:
        from === 'probabilities' ? 'probability' : kind.sides === 'both' ? 'sigmoid' : 'softmax',
      reduction: readChoice('reduction', options.reduction),
      negatives: readChoice('negatives', options.negatives),
      gamma: readGamma(options.gamma),
      clampLow,
      clampHigh,
      valueOfEmpty: readChoice('onEmpty', options.onEmpty) === 'nan' ? Number.NaN : 0,
    },
    oneHot: readOneHot(options.oneHot),
    alpha: readAlpha(options.alpha, kind),
  };
}

function namesOf({ sides, term }: LossKind): string[] {
  const names = ['from', 'oneHot', 'clamp', 'reduction', 'onEmpty', 'alpha'];
  if (sides === 'both') names.push('negatives');
  if (term === 'focal') names.push('gamma');
  return names;
}

function readChoice<N extends keyof typeof choices>(
  name: N,
  value: unknown,
): (typeof choices)[N][number] {
  const known: readonly unknown[] = choices[name];
  if (value === undefined) return choices[name][0];
  const expected = `one of ${choices[name].map((choice) => `'${choice}'`).join(', ')}`;
  if (typeof value !== 'string') failType(`options.${name}`, expected, value);
  if (!known.includes(value)) fail('ERR_OPTION', `options.${name}`, expected, value);
  return value as (typeof choices)[N][number];
}

function readOneHot(value: unknown): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') {
    failType('options.oneHot', 'true or false', value);
  }
  return value;
}

function readGamma(value: unknown = 2): number {
  const expected = 'a finite number of at least 0';
  if (typeof value !== 'number') failType('options.gamma', expected, value);
  // Finite in float32 too, in which most losses are computed.
  if (!(value >= 0 && Math.fround(value) < Number.POSITIVE_INFINITY)) {
    fail('ERR_OPTION', 'options.gamma', expected, value);
  }
  return value;
}

function readClamp(value: unknown, from: 'probabilities' | 'logits'): readonly [number, number] {
  const none = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
  if (value === null) return none;
  if (from === 'logits') {
    if (value === undefined) return none;
    fail('ERR_OPTION', 'options.clamp', "none with from: 'logits', which need no clamp", value);
  }
  if (value === undefined) return [0.001, 1];
  const expected = '[low, high] with 0 <= low < high <= 1, or null';
  if (!Array.isArray(value) || !value.every((bound) => typeof bound === 'number')) {
    failType('options.clamp', expected, value);
  }
  const [low, high] = value as [number, number];
  if (value.length !== 2 || !(low >= 0 && low < high && high <= 1)) {
    fail('ERR_OPTION', 'options.clamp', expected, value);
  }
  return [low, high];
}

/** A number stays a number; one value per class becomes a tensor, where it is. */
function readAlpha(value: unknown, { sides }: LossKind): number | Tensor | undefined {
  const expected = sides === 'both' ? 'a number in [0, 1]' : 'a finite number of at least 0';
  const most = sides === 'both' ? 1 : Number.MAX_VALUE;
  const check = (element: number, argument: string): void => {
    if (!(element >= 0 && element <= most)) fail('ERR_OPTION', argument, expected, element);
  };
  if (value === undefined) return undefined;
  if (typeof value === 'number') {
    check(value, 'options.alpha');
    return value;
  }
  if (typeof value !== 'object' || value === null) {
    failType('options.alpha', `${expected}, or one per class`, value);
  }
  const alpha = asTensor(value as TensorLike, 'options.alpha', {
    device: 'cpu',
    dtypeOfNumbers: 'float64',
  });
  operandOf(alpha, 'options.alpha'); // not disposed
  if (!isFloat(alpha.dtype)) {
    fail('ERR_DTYPE', 'options.alpha', 'floating-point values', alpha.dtype);
  }
  // Values on a device are not read here: that would wait for it.
  if (alpha.device === 'cpu') {
    Array.from(numbersOf(alpha.dataSync(), alpha.dtype)).forEach((number, i) => {
      check(number, `options.alpha[${i}]`);
    });
  }
  return alpha;
}
