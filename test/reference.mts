// The four losses in plain float64, written from their definitions and from log p alone, without a
// line shared with the engines: q = 1 − p is −expm1(log p).

export interface Spec {
  loss: 'NegativeLogLoss' | 'BinaryCrossEntropy' | 'BinaryFocalLoss' | 'CategoricalFocalLoss';
  from?: 'probabilities' | 'logits';
  clamp?: readonly [number, number] | null;
  alpha?: number | readonly number[];
  weight?: readonly number[];
  posWeight?: number | readonly number[];
  gamma?: number;
  negatives?: 'complement' | 'zero-targets';
  labelSmoothing?: number;
  ignoreIndex?: number;
  normalizer?: 'targets' | 'elements' | 'rows' | 'positives' | number;
  onEmpty?: 'nan' | 'zero';
}

type Matrix<V = number> = readonly (readonly V[])[];

/** What goes along with the targets of a batch: which of them count, and their sample weights. */
export interface Beside {
  counts?: Matrix<boolean> | undefined;
  sampleWeight?: Matrix | undefined;
}

export const isBinary = (loss: Spec['loss']): boolean => loss.startsWith('Binary');
export const isFocal = (loss: Spec['loss']): boolean => loss.endsWith('FocalLoss');

/** Losses of a batch, undivided, and what `mean` divides by. Targets are dense. */
export function reference(
  spec: Spec,
  inputs: Matrix,
  targets: Matrix,
  beside: Beside = {},
): { matrix: number[][]; rows: number[]; sum: number; divisor: number; mean: number } {
  const matrix = inputs.map((row, n) =>
    row.map((_, c) => element(spec, row, c, weightsAt(spec, targets, n, c, beside))),
  );
  const rows = matrix.map(total);
  const sum = total(rows);
  const divisor = divisorOf(spec, targets, beside);
  const empty = spec.onEmpty === 'zero' ? 0 : Number.NaN;
  return { matrix, rows, sum, divisor, mean: divisor === 0 ? empty : sum / divisor };
}

/** Which elements count: all but those that are ignored, by their id or, if dense, by a mask. */
export function countsOf(spec: Spec, targets: Matrix, ids?: readonly number[]): boolean[][] {
  const { ignoreIndex, loss } = spec;
  return targets.map((row, n) => {
    if (ignoreIndex === undefined) return row.map(() => true);
    if (ids) return row.map(() => ids[n] !== ignoreIndex);
    if (isBinary(loss)) return row.map((y) => y !== ignoreIndex);
    return row.map(() => row.some((y) => y !== 0 && y !== ignoreIndex));
  });
}

function divisorOf(spec: Spec, targets: Matrix, { counts }: Beside): number {
  const { normalizer = isBinary(spec.loss) ? 'elements' : 'targets' } = spec;
  if (typeof normalizer === 'number') return normalizer;
  const ones = targets.map((row, n) => row.map((_, c) => Number(counts?.[n]?.[c] ?? true)));
  if (normalizer === 'rows') return ones.filter((row) => row.some(Boolean)).length;
  const parts = targets.map((row, n) =>
    row.map((y, c) => {
      const one = ones[n]?.[c] as number;
      if (normalizer === 'elements' || one === 0) return one;
      return normalizer === 'positives' ? Number(y > 0) : (spec.weight?.[c] ?? 1) * y;
    }),
  );
  const sum = total(parts.map(total));
  return normalizer === 'positives' ? Math.max(1, sum) : sum;
}

const perClass = (value: number | readonly number[] | undefined, c: number): number | undefined =>
  typeof value === 'object' ? value[c] : value;

/** The weights of the positive and of the negative side. */
function weightsAt(
  spec: Spec,
  targets: Matrix,
  n: number,
  c: number,
  { counts, sampleWeight }: Beside,
): [number, number] {
  if (counts?.[n]?.[c] === false) return [0, 0];
  const y = targets[n]?.[c] as number;
  const { loss, negatives = 'complement', labelSmoothing: e = 0 } = spec;
  const outcomes = isBinary(loss) ? 2 : (targets[n] as readonly number[]).length;
  const smooth = (share: number): number => share * (1 - e) + e / outcomes;
  const alpha = perClass(spec.alpha, c);
  const both = (spec.weight?.[c] ?? 1) * (sampleWeight?.[n]?.[c] ?? 1);
  const positive = (alpha ?? 1) * smooth(y) * both;
  if (!isBinary(loss)) return [positive, 0];
  const against = smooth(negatives === 'complement' ? 1 - y : Number(y === 0));
  return [
    positive * (perClass(spec.posWeight, c) ?? 1),
    (alpha === undefined ? 1 : 1 - alpha) * against * both,
  ];
}

function element(
  spec: Spec,
  row: readonly number[],
  c: number,
  [positive, negative]: [number, number],
): number {
  const { loss, gamma = 2 } = spec;
  const side = (weight: number, isPositive: boolean): number => {
    if (weight === 0) return 0;
    const logP = logOf(spec, row, c, isPositive);
    return weight * (isFocal(loss) ? (-Math.expm1(logP)) ** gamma : 1) * -logP;
  };
  return side(positive, true) + side(negative, false);
}

/** log p of class c, or log(1 − p). */
function logOf(spec: Spec, row: readonly number[], c: number, positive: boolean): number {
  const x = row[c] as number;
  if (spec.from === 'logits') {
    if (isBinary(spec.loss)) return -softplus(positive ? -x : x);
    const max = Math.max(...row);
    const others = total(row.filter((_, j) => j !== c).map((other) => Math.exp(other - x)));
    // Σ_j e^(x_j − x_c) may overflow: then shift by the largest.
    if (others < 1e300) return -Math.log1p(others);
    return x - max - Math.log(total(row.map((other) => Math.exp(other - max))));
  }
  const [low, high] = boundsOf(spec);
  const p = Math.min(Math.max(x, low), high);
  const log = positive ? Math.log(p) : Math.log1p(-p);
  return log === -Infinity && isBinary(spec.loss) ? -100 : log;
}

function boundsOf({ clamp }: Spec): readonly [number, number] {
  return clamp === null ? [-Infinity, Infinity] : (clamp ?? [0.001, 1]);
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/**
 * d sum / d x at every element, in closed form, for where differences say nothing. With
 * r = −log p / q, d term / d log p is −q^γ (1 + γ p r).
 */
export function gradientOfSum(
  spec: Spec,
  inputs: Matrix,
  targets: Matrix,
  beside: Beside = {},
): number[][] {
  return inputs.map((row, n) => {
    const weights = row.map((_, c) => weightsAt(spec, targets, n, c, beside));
    if (isBinary(spec.loss) || spec.from !== 'logits') {
      return row.map((_, c) => slopeByInput(spec, row, c, weights[c] as [number, number]));
    }
    if (beside.counts?.[n]?.includes(true) === false) return row.map(() => 0);
    const slopes = weights.map(([weight], c) =>
      weight === 0 ? 0 : weight * slopeByLog(spec, logOf(spec, row, c, true)),
    );
    return row.map((_, j) => {
      const logP = logOf(spec, row, j, true);
      const others = total(slopes.filter((_, c) => c !== j));
      return -Math.expm1(logP) * (slopes[j] as number) - Math.exp(logP) * others;
    });
  });
}

function slopeByLog({ loss, gamma = 2 }: Spec, logP: number): number {
  if (!isFocal(loss)) return -1;
  const p = Math.exp(logP);
  const q = -Math.expm1(logP);
  const pr = q === 0 ? 1 : p === 0 ? 0 : (-logP * p) / q;
  return -(q ** gamma) * (1 + gamma * pr);
}

function slopeByInput(
  spec: Spec,
  row: readonly number[],
  c: number,
  [positive, negative]: [number, number],
): number {
  const x = row[c] as number;
  const side = (weight: number, isPositive: boolean): number => {
    if (weight === 0) return 0;
    const logP = logOf(spec, row, c, isPositive);
    const slope = weight * slopeByLog(spec, logP) * (isPositive ? 1 : -1);
    if (spec.from === 'logits') return slope * -Math.expm1(logP);
    const [low, high] = boundsOf(spec);
    if (x < low || x > high) return 0;
    const p = isPositive ? x : 1 - x;
    return slope * (p === 0 && isBinary(spec.loss) ? 1e12 : 1 / p);
  };
  return side(positive, true) + side(negative, false);
}

/** d f / d x at the places [row, column], by central differences. */
export function centralDifferences(
  f: (inputs: number[][]) => number,
  inputs: Matrix,
  places: readonly (readonly [number, number])[],
  h = 1e-5,
): number[] {
  return places.map(([row, column]) => {
    const at = (step: number): number => {
      const moved = inputs.map((r) => [...r]);
      (moved[row] as number[])[column] = (inputs[row]?.[column] as number) + step;
      return f(moved);
    };
    return (at(h) - at(-h)) / (2 * h);
  });
}
