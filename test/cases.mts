// The table that the generic suites run over: a loss with options is a row of data.
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  type LossOptions,
  NegativeLogLoss,
} from 'culoss';
import { isBinary, type Spec } from './reference.mjs';

export const losses = {
  NegativeLogLoss,
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
};

export type LossName = keyof typeof losses;
export const lossNames = Object.keys(losses) as LossName[];

/** The criterion of a row, with whatever options the reference does not know. */
export function criterionOf({ loss, ...options }: Spec, more: LossOptions = {}): Criterion {
  return new losses[loss]({ ...options, ...more });
}

/** `alpha: 'per class'` stands for as many values as there are columns. */
type Row = Omit<Spec, 'alpha'> & { alpha?: number | 'per class' };

export const rows: readonly Row[] = lossNames.flatMap((loss) => {
  const gammas = loss.endsWith('FocalLoss') ? [0, 0.5, 1, 2, 3.7] : [undefined];
  const withGamma = gammas.map((gamma) => (gamma === undefined ? {} : { gamma }));
  const options: Omit<Row, 'loss'>[] = [
    ...withGamma,
    { alpha: 0.25 },
    { alpha: 0 },
    { alpha: 'per class', ...withGamma.at(-1) },
  ];
  if (isBinary(loss)) options.push({ negatives: 'zero-targets', alpha: 0.75 });
  return (['probabilities', 'logits'] as const).flatMap((from) =>
    options.map((option) => ({ loss, from, ...option })),
  );
});

export const titleOf = ({ loss: _, from = 'probabilities', ...options }: Row): string =>
  [from, ...Object.entries(options).map(([name, value]) => `${name}=${value}`)].join(' ');

/** The row for inputs of so many columns. */
export function specOf(row: Row, columns: number): Spec {
  const { alpha, ...rest } = row;
  if (alpha === undefined) return rest;
  if (alpha !== 'per class') return { ...rest, alpha };
  return { ...rest, alpha: Array.from({ length: columns }, (_, c) => (c + 0.5) / (columns + 1)) };
}

export const shapes: readonly (readonly [number, number])[] = [
  [1, 1],
  [7, 3],
  [33, 257],
  [2, 1031],
];

/**
 * How far the loss and the gradient may be from float64 arithmetic on the same inputs, relatively
 * and beside the `smallest` number; a finite gradient beyond the `largest` is stored as that.
 */
export const tolerances = {
  float32: { value: 3e-6, grad: 2e-5, smallest: 1e-36, largest: Number.MAX_VALUE },
  float64: { value: 1e-12, grad: 1e-8, smallest: 1e-300, largest: Number.MAX_VALUE },
  float16: { value: 3e-6, grad: 2 ** -10.9, smallest: 2 ** -24, largest: 65504 },
  bfloat16: { value: 3e-6, grad: 2 ** -7.9, smallest: 1e-36, largest: 3.3895313892515355e38 },
} as const;

export type FloatDtype = keyof typeof tolerances;
export const floatDtypes = Object.keys(tolerances) as FloatDtype[];

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Batch {
  inputs: number[][];
  ids: number[];
  oneHot: number[][];
  soft: number[][];
}

/** Inputs away from the kink of the clamp, and targets of each kind. */
export function batchOf(
  [n, columns]: readonly [number, number],
  from: Spec['from'],
  seed = 1,
): Batch {
  const random = randomNumbers(seed + n * 7919 + columns);
  const matrix = (f: () => number): number[][] =>
    Array.from({ length: n }, () => Array.from({ length: columns }, f));
  const ids = Array.from({ length: n }, () => Math.floor(random() * columns));
  const zeroOrSoft = (): number => (random() < 0.4 ? 0 : random());
  return {
    inputs: matrix(() => (from === 'logits' ? random() * 12 - 6 : 0.02 + random() * 0.96)),
    ids,
    oneHot: ids.map((id) => Array.from({ length: columns }, (_, c) => Number(c === id))),
    soft: matrix(zeroOrSoft),
  };
}
