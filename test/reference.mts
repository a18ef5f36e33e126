// The four losses in plain float64, written from their definitions and from log p alone, without a
// line shared with the engines: q = 1 − p is −expm1(log p).

export interface Spec {
  loss: 'NegativeLogLoss' | 'BinaryCrossEntropy' | 'BinaryFocalLoss' | 'CategoricalFocalLoss';
  from?: 'probabilities' | 'logits';
  clamp?: readonly [number, number] | null;
  alpha?: number | readonly number[];
  gamma?: number;
  negatives?: 'complement' | 'zero-targets';
}

export const isBinary = (loss: Spec['loss']): boolean => loss.startsWith('Binary');
export const isFocal = (loss: Spec['loss']): boolean => loss.endsWith('FocalLoss');

/** Losses of a batch, undivided, and what `mean` divides by. Targets are dense. */
export function reference(
  spec: Spec,
  inputs: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): { matrix: number[][]; rows: number[]; sum: number; divisor: number; mean: number } {
  const matrix = inputs.map((row, n) =>
    row.map((_, c) => element(spec, row, c, targets[n]?.[c] as number)),
  );
  const rows = matrix.map(total);
  const sum = total(rows);
  const divisor = isBinary(spec.loss)
    ? total(inputs.map((row) => row.length))
    : total(targets.map(total));
  return { matrix, rows, sum, divisor, mean: sum / divisor };
}

/** The weights of the positive and of the negative side. */
function weightsOf(spec: Spec, c: number, y: number): [number, number] {
  const { loss, alpha, negatives = 'complement' } = spec;
  const share = typeof alpha === 'object' ? (alpha[c] as number) : alpha;
  const positive = (share ?? 1) * y;
  if (!isBinary(loss)) return [positive, 0];
  const against = negatives === 'complement' ? 1 - y : Number(y === 0);
  return [positive, (share === undefined ? 1 : 1 - share) * against];
}

function element(spec: Spec, row: readonly number[], c: number, y: number): number {
  const { loss, gamma = 2 } = spec;
  const side = (weight: number, isPositive: boolean): number => {
    if (weight === 0) return 0;
    const logP = logOf(spec, row, c, isPositive);
    return weight * (isFocal(loss) ? (-Math.expm1(logP)) ** gamma : 1) * -logP;
  };
  const [positive, negative] = weightsOf(spec, c, y);
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
  inputs: readonly (readonly number[])[],
  targets: readonly (readonly number[])[],
): number[][] {
  return inputs.map((row, n) => {
    const y = targets[n] as readonly number[];
    if (isBinary(spec.loss) || spec.from !== 'logits') {
      return row.map((_, c) => slopeByInput(spec, row, c, y[c] as number));
    }
    const slopes = row.map((_, c) => {
      const [weight] = weightsOf(spec, c, y[c] as number);
      return weight === 0 ? 0 : weight * slopeByLog(spec, logOf(spec, row, c, true));
    });
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

function slopeByInput(spec: Spec, row: readonly number[], c: number, y: number): number {
  const x = row[c] as number;
  const [positive, negative] = weightsOf(spec, c, y);
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
  inputs: readonly (readonly number[])[],
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
