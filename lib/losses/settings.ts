import type { CriterionOptions } from '../../binding';
import { asTensor, type TensorLike } from '../convert';
import { isFloat } from '../dtype';
import { fail, failType } from '../errors';
import { numbersOf, operandOf, type Tensor } from '../tensor';
import { checkOptions } from '../validate';
import type { BinaryOptions, FocalOptions, LossOptions } from './options';
import { type Lengths, Placed } from './placed';

/** What makes a loss: the formula, and what `mean` divides by. */
export type LossKind = Pick<CriterionOptions, 'term' | 'sides'> & {
  normalizer: 'targets' | 'elements';
};

/** Options as a criterion keeps them. */
export interface Settings {
  native: CriterionOptions;
  oneHot: boolean | undefined;
  axis: number;
  placed: Record<'alpha' | 'weight' | 'posWeight' | 'normalizer', Placed>;
}

type Options = LossOptions & BinaryOptions & FocalOptions;

const choices = {
  from: ['probabilities', 'logits'],
  reduction: ['mean', 'sum', 'none', 'matrix'],
  normalizer: ['targets', 'elements', 'rows', 'positives'],
  onEmpty: ['nan', 'zero'],
  negatives: ['complement', 'zero-targets'],
  validate: ['deferred', 'eager', 'off'],
} as const;

/** Checks the options of a loss and fills in the defaults. */
export function readSettings(kind: LossKind, options: Options): Settings {
  refuseForeign(kind, options);
  checkOptions(options, namesOf(kind), ['clamp']);
  const from = readChoice('from', options.from);
  const [clampLow, clampHigh] = readClamp(options.clamp, from);
  const reduction = readChoice('reduction', options.reduction);
  const { normalizer, divisor } = readNormalizer(options.normalizer, kind, reduction);
  return {
    native: {
      ...kind,
      link:
        from === 'probabilities' ? 'probability' : kind.sides === 'both' ? 'sigmoid' : 'softmax',
      reduction,
      normalizer,
      negatives: readChoice('negatives', options.negatives),
      validate: readChoice('validate', options.validate),
      gamma: readGamma(options.gamma),
      clampLow,
      clampHigh,
      labelSmoothing: readLabelSmoothing(options.labelSmoothing),
      ignoreIndex: readInteger('ignoreIndex', options.ignoreIndex),
      valueOfEmpty: readOnEmpty(options.onEmpty, reduction) === 'nan' ? Number.NaN : 0,
    },
    oneHot: readOneHot(options.oneHot),
    axis: readInteger('axis', options.axis) ?? 1,
    placed: {
      alpha: readWeights('alpha', options.alpha, 'either', kind.sides === 'both' ? 1 : mostFloat32),
      weight: readWeights('weight', options.weight, 'per class'),
      posWeight: readWeights('posWeight', options.posWeight, 'either'),
      normalizer: divisor,
    },
  };
}

const common = ['from', 'oneHot', 'clamp', 'reduction', 'normalizer', 'onEmpty', 'alpha', 'weight'];

function namesOf({ sides, term }: LossKind): string[] {
  const names = [...common, 'ignoreIndex', 'labelSmoothing', 'axis', 'validate'];
  if (sides === 'both') names.push('negatives', 'posWeight');
  if (term === 'focal') names.push('gamma');
  return names;
}

/** The largest number of float32, in which most losses are computed. */
export const mostFloat32 = 2 ** 128 - 2 ** 104;
export const weightRange = 'a number from 0 to 3.4e38';

/** Options of other losses, and why this one has none. */
function refuseForeign({ sides, term }: LossKind, options: Options): void {
  const refuse = (name: keyof Options, expected: string): void => {
    const value = options?.[name];
    if (value !== undefined) fail('ERR_OPTION', `options.${name}`, expected, value);
  };
  if (sides === 'targets') {
    refuse('posWeight', 'none for a categorical loss, which has no negative side');
    refuse('negatives', 'none for a categorical loss, which has no negative side');
  }
  if (term !== 'focal') refuse('gamma', 'none for a log loss, which has no such factor');
}

const listOf = (name: keyof typeof choices): string =>
  choices[name].map((choice) => `'${choice}'`).join(', ');

function readChoice<N extends keyof typeof choices>(
  name: N,
  value: unknown,
): (typeof choices)[N][number] {
  const known: readonly unknown[] = choices[name];
  if (value === undefined) return choices[name][0];
  const expected = `one of ${listOf(name)}`;
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

/** A number for which `isIn` holds. */
function readNumber(
  name: string,
  value: unknown,
  expected: string,
  isIn: (number: number) => boolean,
): number {
  if (typeof value !== 'number') failType(`options.${name}`, expected, value);
  if (!isIn(value)) fail('ERR_OPTION', `options.${name}`, expected, value);
  return value;
}

function readGamma(value: unknown = 2): number {
  return readNumber('gamma', value, weightRange, (gamma) => gamma >= 0 && gamma <= mostFloat32);
}

function readLabelSmoothing(value: unknown = 0): number {
  return readNumber('labelSmoothing', value, 'a number in [0, 1)', (e) => e >= 0 && e < 1);
}

function readInteger(name: string, value: unknown): number | undefined {
  return value === undefined
    ? value
    : readNumber(name, value, 'an integer within ±(2^53 − 1)', Number.isSafeInteger);
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

function refuseWithoutDivision(
  argument: string,
  value: unknown,
  reduction: CriterionOptions['reduction'],
): void {
  if (reduction === 'mean' || reduction === 'matrix') return;
  fail('ERR_OPTION', argument, `none with reduction: '${reduction}', which does not divide`, value);
}

function readOnEmpty(value: unknown, reduction: CriterionOptions['reduction']): 'nan' | 'zero' {
  if (value !== undefined) refuseWithoutDivision('options.onEmpty', value, reduction);
  return readChoice('onEmpty', value);
}

function readNormalizer(
  value: unknown,
  kind: LossKind,
  reduction: CriterionOptions['reduction'],
): { normalizer: CriterionOptions['normalizer']; divisor: Placed } {
  const argument = 'options.normalizer';
  const none = new Placed(argument, 'one', undefined);
  if (value === undefined) return { normalizer: kind.normalizer, divisor: none };
  refuseWithoutDivision(argument, value, reduction);
  if (typeof value === 'string') {
    return { normalizer: readChoice('normalizer', value), divisor: none };
  }
  const expected = `${listOf('normalizer')}, 0, or a number from 3e-39 to 3.4e38`;
  return {
    normalizer: 'given',
    divisor: readValues(argument, value, 'one', mostFloat32, expected),
  };
}

/** Weights from 0 to `most`: a number, where that is allowed, or one per class. */
function readWeights(name: string, value: unknown, lengths: Lengths, most = mostFloat32): Placed {
  const expected = most === 1 ? 'a number in [0, 1]' : weightRange;
  return readValues(`options.${name}`, value, lengths, most, expected);
}

/** A number stays a number; values become a tensor, where they are. */
function readValues(
  argument: string,
  value: unknown,
  lengths: Lengths,
  most: number,
  expected: string,
): Placed {
  // The reciprocal of a divisor must be a number of float32, too.
  const least = lengths === 'one' ? 1 / mostFloat32 : 0;
  const check = (element: number, name: string): void => {
    const isIn = element === 0 || (element >= least && element <= most);
    if (!isIn) fail('ERR_OPTION', name, expected, element);
  };
  if (value === undefined) return new Placed(argument, lengths, undefined);
  if (typeof value === 'number' && lengths !== 'per class') {
    check(value, argument);
    return new Placed(argument, lengths, value);
  }
  if (typeof value !== 'object' || value === null) {
    const what = {
      one: `${expected}, or a tensor of one`,
      either: `${expected}, or one per class`,
    };
    failType(argument, lengths === 'per class' ? 'one value per class' : what[lengths], value);
  }
  const tensor = asTensor(value as TensorLike, argument, 'float64');
  operandOf(tensor, argument); // not disposed
  if (lengths === 'one' && tensor.size !== 1)
    fail('ERR_SHAPE', argument, 'one number', tensor.shape);
  if (!isFloat(tensor.dtype) && lengths !== 'one') {
    fail('ERR_DTYPE', argument, 'floating-point values', tensor.dtype);
  }
  checkValues(tensor, argument, check);
  return new Placed(argument, lengths, tensor);
}

/** Values on a device are not read here: that would wait for it. */
function checkValues(
  tensor: Tensor,
  argument: string,
  check: (element: number, name: string) => void,
): void {
  if (tensor.device !== 'cpu') return;
  const numbers = numbersOf(tensor.dataSync(), tensor.dtype);
  for (let i = 0; i < numbers.length; i++) check(numbers[i] as number, `${argument}[${i}]`);
}
