// One call of a loss with any options, as data: it can be made, run on a device, and worked out by
// the reference. Batches are rows by classes here; `axis` and `rowShape` say how they lie in memory.
import { type Device, type LossOptions, type TensorLike, tensor } from 'culoss';
import { criterionOf, type FloatDtype, randomNumbers } from './cases.mjs';
import { numbers } from './devices.mjs';
import { countsOf, gradientOfSum, isBinary, reference, type Spec } from './reference.mjs';

export interface Trial extends Spec {
  reduction?: NonNullable<LossOptions['reduction']>;
  oneHot?: boolean;
  axis?: number;
  validate?: NonNullable<LossOptions['validate']>;
  /** Of the call. */
  sampleWeight?: 'rows' | 'elements';
  gradOutput?: 'number' | 'tensor';
  /** Default: class ids. */
  targets?: 'ids' | 'dense';
  /** Targets of uint8 and of the inputs' shape, though they may be ids. */
  integers?: boolean;
  /** A normaliser that is a number goes as a tensor. */
  normalizerTensor?: boolean;
  /** Default: [6], which with 4 columns and axis 1 is [6, 4]. */
  rowShape?: readonly number[];
  columns?: number;
  seed?: number;
}

type Matrix = number[][];

interface Batch {
  inputs: Matrix;
  ids: number[] | undefined;
  /** As it is given; in `dense` a mark in a row that counts is a target of 0. */
  marked: Matrix;
  dense: Matrix;
  counts: boolean[][];
  weights: Matrix | undefined;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const columnsOf = ({ columns = 4 }: Trial): number => columns;
const rowShapeOf = ({ rowShape = [6] }: Trial): readonly number[] => rowShape;

/** The shape of inputs, and where row `r` has class `c` in their memory. */
function layoutOf(trial: Trial): {
  shape: number[];
  at: (r: number, c: number) => number;
} {
  const rowShape = rowShapeOf(trial);
  const columns = columnsOf(trial);
  const axis = trial.axis ?? 1;
  const before = axis < 0 ? axis + rowShape.length + 1 : axis;
  const shape = [...rowShape.slice(0, before), columns, ...rowShape.slice(before)];
  const inner = sizeOf(rowShape.slice(before));
  return { shape, at: (r, c) => (Math.floor(r / inner) * columns + c) * inner + (r % inner) };
}

function lay(trial: Trial, matrix: readonly (readonly number[])[]): number[] {
  const { at } = layoutOf(trial);
  const flat: number[] = [];
  matrix.forEach((row, r) => {
    row.forEach((value, c) => {
      flat[at(r, c)] = value;
    });
  });
  return flat;
}

function unlay(trial: Trial, flat: readonly number[]): Matrix {
  const { at } = layoutOf(trial);
  const rows = sizeOf(rowShapeOf(trial));
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columnsOf(trial) }, (_, c) => flat[at(r, c)] as number),
  );
}

/** Inputs away from the kinks of a clamp, targets of each kind, some of them ignored. */
function batchOf(trial: Trial): Batch {
  const random = randomNumbers(trial.seed ?? 1);
  const rows = sizeOf(rowShapeOf(trial));
  const columns = columnsOf(trial);
  const matrix = (draw: () => number): Matrix =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, draw));
  const probability = (): number =>
    random() < 0.15 ? 0.0002 + random() * 0.0004 : 0.02 + 0.96 * random();
  const inputs = matrix(() => (trial.from === 'logits' ? random() * 12 - 6 : probability()));
  const { ignoreIndex } = trial;
  const isIgnored = (): boolean => ignoreIndex !== undefined && random() < 0.3;
  const weights = trial.sampleWeight && matrix(() => random() * 2 - 0.3);
  if (weights && trial.sampleWeight === 'rows') {
    for (const row of weights) row.fill(row[0] as number);
  }
  if (trial.targets === 'dense') {
    const round = trial.integers ? Math.round : (y: number) => y;
    const soft = (): number => (random() < 0.4 ? 0 : round(random()));
    const mark = ignoreIndex as number;
    const whole = (row: number[]): number[] => row.map(() => (random() < 0.5 ? mark : 0));
    const marked = isBinary(trial.loss)
      ? matrix(() => (isIgnored() ? mark : soft()))
      : matrix(() => (isIgnored() && random() < 0.2 ? mark : soft())).map((row) =>
          isIgnored() ? whole(row) : row,
        );
    const counts = countsOf(trial, marked);
    const dense = isBinary(trial.loss)
      ? marked
      : marked.map((row) => row.map((y) => (y === ignoreIndex ? 0 : y)));
    return { inputs, ids: undefined, marked, dense, counts, weights };
  }
  const ids = Array.from({ length: rows }, () =>
    isIgnored() ? (ignoreIndex as number) : Math.floor(random() * columns),
  );
  const dense = ids.map((id) => Array.from({ length: columns }, (_, c) => Number(c === id)));
  return { inputs, ids, marked: dense, dense, counts: countsOf(trial, dense, ids), weights };
}

/** Whether the loss has one number per element. */
const isPerElement = ({ reduction = 'mean', loss }: Trial): boolean =>
  reduction === 'matrix' || (reduction === 'none' && isBinary(loss));

function lossShapeOf(trial: Trial): readonly number[] {
  const { reduction = 'mean' } = trial;
  if (reduction === 'mean' || reduction === 'sum') return [];
  return isPerElement(trial) ? layoutOf(trial).shape : rowShapeOf(trial);
}

/** The upstream gradient: different for every element of the loss. */
const upstreamOf = (trial: Trial): number[] =>
  Array.from({ length: sizeOf(lossShapeOf(trial)) }, (_, i) =>
    trial.gradOutput === undefined
      ? 1
      : trial.gradOutput === 'number'
        ? -1.7
        : 0.6 + 0.3 * (i % 31),
  );

/** What is seen of a call: the loss, and the gradient as rows by classes. */
export interface Outcome {
  loss: number[];
  grad: Matrix;
}

/** The call on a device, without one of its options or with all, and the inputs as rounded. */
export function run(
  trial: Trial,
  dtype: FloatDtype,
  device: Device,
  without?: string,
): Outcome & { inputs: Matrix } {
  const { inputs, ids, marked, weights } = batchOf(trial);
  const { shape } = layoutOf(trial);
  const rowShape = rowShapeOf(trial);
  const x = tensor(lay(trial, inputs), shape, { dtype, device });
  const targets = trial.integers
    ? tensor(ids ?? lay(trial, marked), shape, { dtype: 'uint8', device })
    : ids
      ? tensor(new Int32Array(ids), rowShape, { device })
      : tensor(lay(trial, marked), shape, { dtype: 'float64', device });
  const flatWeights =
    weights &&
    {
      rows: () =>
        tensor(
          weights.map((row) => row[0] as number),
          rowShape,
          { dtype: 'float64', device },
        ),
      elements: () => tensor(lay(trial, weights), shape, { dtype: 'float64', device }),
    }[trial.sampleWeight as 'rows' | 'elements']();
  const upstream = upstreamOf(trial);
  const gradOutput: Record<string, number | TensorLike | undefined> = {
    number: upstream[0],
    tensor: tensor(upstream, lossShapeOf(trial), { dtype: 'float64', device }),
  };
  const options = { sampleWeight: flatWeights, gradOutput: gradOutput[`${trial.gradOutput}`] };
  const call = Object.fromEntries(Object.entries(options).filter(([name]) => name !== without));
  const { loss, grad } = criterionFor(trial, without).valueAndGrad(x, targets, call);
  const flat = numbers(loss);
  return {
    loss: isPerElement(trial) ? unlay(trial, flat).flat() : flat,
    grad: unlay(trial, numbers(grad)),
    inputs: unlay(trial, numbers(x)),
  };
}

function criterionFor(trial: Trial, without?: string) {
  const {
    sampleWeight,
    gradOutput,
    targets,
    normalizerTensor,
    rowShape,
    columns,
    seed,
    integers,
    ...options
  } = trial;
  const normalizer = normalizerTensor ? [options.normalizer as number] : options.normalizer;
  const all = { ...options, normalizer };
  return criterionOf((without ? { ...all, [without]: undefined } : all) as Spec);
}

/** The losses of a trial at given inputs, as the definitions have it. */
function lossesOf(trial: Trial, inputs: Matrix): { values: number[]; divisor: number } {
  const { dense, counts, weights } = batchOf(trial);
  const { matrix, rows, sum, mean, divisor } = reference(trial, inputs, dense, {
    counts,
    sampleWeight: weights,
  });
  const { reduction = 'mean', onEmpty } = trial;
  const empty = onEmpty === 'zero' ? 0 : Number.NaN;
  const divided = matrix.flat().map((value) => (divisor === 0 ? empty : value / divisor));
  const none = isBinary(trial.loss) ? matrix.flat() : rows;
  const values = { mean: [mean], sum: [sum], none, matrix: divided }[reduction];
  return { values, divisor: reduction === 'mean' || reduction === 'matrix' ? divisor : 1 };
}

/** The upstream gradient in the order of `Outcome.loss`. */
function upstreamByRows(trial: Trial): number[] {
  const upstream = upstreamOf(trial);
  return isPerElement(trial) ? unlay(trial, upstream).flat() : upstream;
}

/** What `run` should give for these inputs: the gradient in closed form. */
export function expectedOf(trial: Trial, inputs: Matrix): Outcome {
  const { dense, counts, weights } = batchOf(trial);
  const { values, divisor } = lossesOf(trial, inputs);
  const upstream = upstreamByRows(trial);
  const upstreamAt = (r: number, c: number): number =>
    upstream[
      isPerElement(trial) ? r * columnsOf(trial) + c : upstream.length > 1 ? r : 0
    ] as number;
  // An upstream gradient scales what an element contributes, as its sample weight does.
  const sampleWeight = inputs.map((row, r) =>
    row.map((_, c) => upstreamAt(r, c) * (weights?.[r]?.[c] ?? 1)),
  );
  const slopes = gradientOfSum(trial, inputs, dense, { counts, sampleWeight });
  const grad = slopes.map((row) => row.map((g) => (divisor === 0 ? 0 : g / divisor)));
  return { loss: values, grad };
}

/** Σ upstream · loss at given inputs: what the gradient is the derivative of. */
export function weightedLoss(trial: Trial, inputs: Matrix): number {
  const upstream = upstreamByRows(trial);
  return lossesOf(trial, inputs).values.reduce((sum, v, i) => sum + v * (upstream[i] as number), 0);
}
