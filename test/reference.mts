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

function element(spec: Spec, row: readonly number[], c: number, y: number): number {
  const { loss, gamma = 2, alpha, negatives = 'complement' } = spec;
  const share = typeof alpha === 'object' ? (alpha[c] as number) : alpha;
  const term = (logP: number): number => (isFocal(loss) ? (-Math.expm1(logP)) ** gamma : 1) * -logP;
  const weighted = (weight: number, logP: () => number): number =>
    weight === 0 ? 0 : weight * term(logP());
  const positive = weighted((share ?? 1) * y, () => logOf(spec, row, c, true));
  if (!isBinary(loss)) return positive;
  const against = negatives === 'complement' ? 1 - y : Number(y === 0);
  const rest = share === undefined ? 1 : 1 - share;
  return positive + weighted(rest * against, () => logOf(spec, row, c, false));
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
  const [low, high] = spec.clamp === null ? [-Infinity, Infinity] : (spec.clamp ?? [0.001, 1]);
  const p = Math.min(Math.max(x, low), high);
  const log = positive ? Math.log(p) : Math.log1p(-p);
  return log === -Infinity && isBinary(spec.loss) ? -100 : log;
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
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
