import type { TensorLike } from './convert';
import { fail, failType } from './errors';
import { BinaryFocalLoss } from './losses/binary-focal-loss';
import { CategoricalFocalLoss } from './losses/categorical-focal-loss';
import { tableOf } from './losses/criterion';
import type { BinaryOptions } from './losses/options';
import { mostFloat32, weightRange } from './losses/settings';
import { scope } from './scope';
import { isTensor } from './tensor';
import { checkOptions } from './validate';

/** The grid of a sweep, and the options of the loss. */
export interface SweepOptions extends Omit<BinaryOptions, 'alpha' | 'reduction' | 'validate'> {
  /** `posWeight` and `negatives` are for the binary one. Default: `'binary-focal'`. */
  loss?: 'binary-focal' | 'categorical-focal';
  /** Each at least 0. Default: `[0, 0.5, 1, 2, 3, 5]`. */
  gammas?: readonly number[];
  /** Each a number, one per class, or `null` for none. Default: `[null]`. */
  alphas?: readonly Alpha[];
  /** As the losses take it. */
  sampleWeight?: TensorLike;
}

/** A number, one per class, or none. */
export type Alpha = number | readonly number[] | null;

/** Losses over a grid, and what they are made of. */
export interface Sweep {
  /** As they were given. */
  gammas: readonly number[];
  /** As they were given. */
  alphas: readonly Alpha[];
  /** `loss[i][j]` is the mean for `gammas[i]` and `alphas[j]`. */
  loss: number[][];
  /** What the sums are divided by. */
  divisor: number;
  /** What each class contributes, in their order. */
  classes: ClassShares[];
}

/** What one class contributes: by the targets that are of it, and by those that are not. */
export interface ClassShares {
  /** Of targets that are of the class. */
  positives: Share;
  /** Of the binary loss; nothing counts against a class in the categorical one. */
  negatives: Share;
}

/** The part of a loss that comes from one side of one class. */
export interface Share {
  /** Targets that count, before smoothing: above 0 on the positive side, below 1 on the negative one. */
  count: number;
  /** What their terms are multiplied by, in sum: smoothed targets and all weights, without alpha. */
  weight: number;
  /** For each gamma the part of the mean, without alpha. */
  loss: number[];
}

/**
 * The mean of a focal loss for every gamma and alpha of a grid, and what each class contributes to it,
 * in one pass over the data. It tells how alpha and gamma share the loss between rare and frequent
 * classes, before a model is trained with them.
 *
 * With `P` and `N` the shares of class `c`, `loss[i][j]` is
 * `Σ_c alpha_c · P_c.loss[i] + (1 − alpha_c) · N_c.loss[i]`, with both factors 1 for `null`.
 *
 * Inputs, targets and other options are those of the losses. It is computed on the CPU, in float64 sums:
 * tensors on a device are read, which waits. Throws what `forward` throws, and `ERR_OPTION` for a grid
 * that is none.
 *
 * Source: Lin et al., Focal Loss for Dense Object Detection, 2017, table 1, which is such a grid.
 *
 * @example
 * ```js
 * import { sweep } from 'culoss';
 * const probabilities = [[0.9, 0.2], [0.6, 0.1], [0.8, 0.7]];
 * const labels = [[1, 0], [1, 0], [0, 1]];
 * const { loss, classes } = sweep(probabilities, labels, { gammas: [0, 2], alphas: [null, 0.25] });
 * console.log(loss.map((row) => row.map((x) => x.toFixed(3)))); // [ [ '0.485', '0.283' ], [ '0.192', '0.135' ] ]
 * console.log(classes[1].positives.count, classes[1].negatives.count); // 1 2
 * ```
 */
export function sweep(inputs: TensorLike, targets: TensorLike, options: SweepOptions = {}): Sweep {
  const { gammas, alphas, sampleWeight, criterion, sides, onEmpty } = readOptions(options);
  return scope(() => {
    const host = { inputs: onHost(inputs), targets: onHost(targets) };
    const given = sampleWeight === undefined ? {} : { sampleWeight: onHost(sampleWeight) };
    const found = tableOf(criterion, host.inputs, host.targets, given, Float64Array.from(gammas));
    const { columns, table, divisor } = found;
    const factors = alphas.map((alpha, j) =>
      readAlpha(alpha, `options.alphas[${j}]`, columns, sides),
    );
    const mean = (sum: number): number => (divisor === 0 ? onEmpty : sum / divisor);
    const quantities = 2 + gammas.length;
    const shareOf = (side: 0 | 1, column: number): Share => {
      const [count = 0, weight = 0, ...sums] = Array.from(
        { length: quantities },
        (_, k) => table[(side * quantities + k) * columns + column] as number,
      );
      return { count, weight, loss: sums.map(mean) };
    };
    const classes = Array.from({ length: columns }, (_, c) => ({
      positives: shareOf(0, c),
      negatives: shareOf(1, c),
    }));
    const lossOf = (i: number, factorsOf: FactorsOf): number =>
      classes.reduce((sum, { positives, negatives }, c) => {
        const { own, rest } = factorsOf(c);
        return (
          sum + times(own, positives.loss[i] as number) + times(rest, negatives.loss[i] as number)
        );
      }, 0);
    const loss = gammas.map((_, i) => factors.map((factorsOf) => lossOf(i, factorsOf)));
    return { gammas, alphas, loss, divisor, classes };
  });
}

const onHost = (like: TensorLike): TensorLike => (isTensor(like) ? like.cpu() : like);

/** Not 0 · ∞: what has no weight contributes nothing. */
const times = (factor: number, loss: number): number => (factor === 0 ? 0 : factor * loss);

const losses = { 'binary-focal': BinaryFocalLoss, 'categorical-focal': CategoricalFocalLoss };

/** Options of the losses that a sweep has in another form. */
const instead = {
  gamma: 'no value: gammas are a list',
  alpha: 'no value: alphas are a list',
  reduction: 'no value: a sweep gives means',
  validate: 'no value: class ids are always validated',
};

const common = ['from', 'oneHot', 'clamp', 'normalizer', 'onEmpty', 'weight', 'ignoreIndex'];
const names = ['loss', 'gammas', 'alphas', 'sampleWeight', ...common, 'labelSmoothing', 'axis'];
const ofBinary = ['negatives', 'posWeight'];

function readOptions(options: SweepOptions) {
  for (const [name, expected] of Object.entries(instead)) {
    const value: unknown = Object(options)[name];
    if (value !== undefined) fail('ERR_OPTION', `options.${name}`, expected, value);
  }
  checkOptions(options, [...names, ...ofBinary, ...Object.keys(instead)], ['clamp']);
  const { loss = 'binary-focal', gammas, alphas, sampleWeight, ...rest } = options;
  const known = Object.keys(losses);
  if (!known.includes(loss)) {
    const expected = `one of ${known.map((name) => `'${name}'`).join(', ')}`;
    fail('ERR_OPTION', 'options.loss', expected, loss);
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    gammas: readGammas(gammas ?? [0, 0.5, 1, 2, 3, 5]),
    alphas: readList<Alpha>(alphas ?? [null], 'options.alphas').map(copied),
    criterion: new losses[loss](Object.fromEntries(given)),
    sampleWeight,
    sides: loss === 'binary-focal' ? ('both' as const) : ('targets' as const),
    onEmpty: rest.onEmpty === 'zero' ? 0 : Number.NaN,
  };
}

/** Not the caller's, who may change it. */
const copied = (alpha: Alpha): Alpha => (Array.isArray(alpha) ? [...alpha] : alpha);

function readGammas(values: readonly number[]): number[] {
  return readList(values, 'options.gammas').map((gamma, i) => {
    const name = `options.gammas[${i}]`;
    if (typeof gamma !== 'number') failType(name, weightRange, gamma);
    const isIn = gamma >= 0 && gamma <= mostFloat32;
    return isIn ? gamma : fail('ERR_OPTION', name, weightRange, gamma);
  });
}

function readList<V>(values: readonly V[], argument: string): V[] {
  if (!Array.isArray(values) || values.length === 0)
    failType(argument, 'a list of at least one', values);
  return [...values];
}

/** What the two sides of a class are multiplied by. */
type FactorsOf = (column: number) => { own: number; rest: number };

function readAlpha(
  alpha: Alpha,
  argument: string,
  columns: number,
  sides: 'both' | 'targets',
): FactorsOf {
  if (alpha === null) return () => ({ own: 1, rest: 1 });
  const values: readonly unknown[] = Array.isArray(alpha) ? alpha : [alpha];
  if (Array.isArray(alpha) && values.length !== columns) {
    fail('ERR_SHAPE', argument, `a number, null or one value per class (${columns})`, alpha);
  }
  const most = sides === 'both' ? 1 : mostFloat32;
  values.forEach((value, i) => {
    const name = Array.isArray(alpha) ? `${argument}[${i}]` : argument;
    const expected = sides === 'both' ? 'a number in [0, 1]' : weightRange;
    if (typeof value !== 'number')
      failType(
        name,
        Array.isArray(alpha) ? expected : `${expected}, one per class, or null`,
        value,
      );
    if (!(value >= 0 && value <= most)) fail('ERR_OPTION', name, expected, value);
  });
  const numbers = values as number[];
  return (column) => {
    const own = numbers[numbers.length === 1 ? 0 : column] as number;
    return { own, rest: 1 - own };
  };
}
