// What is measured, as data: a loss, a shape, a dtype.
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  type FloatDtype,
  NegativeLogLoss,
} from '../index.mjs';

const losses = { NegativeLogLoss, BinaryCrossEntropy, BinaryFocalLoss, CategoricalFocalLoss };
export const lossNames = Object.keys(losses) as (keyof typeof losses)[];

export interface Workload {
  loss: keyof typeof losses;
  from: 'probabilities' | 'logits';
  targets: 'class ids' | 'one-hot';
  /** `[N, C, d1, …]` */
  shape: readonly number[];
  dtype: FloatDtype;
  pass: 'value' | 'value and gradient';
  /** Whether other libraries do the same work in the same run. */
  hasPeers: boolean;
  /** On the CPU only. */
  threads?: number;
}

/** What `--filter` is compared with, and what a table begins its rows with. */
export const titleOf = ({ threads, ...workload }: Workload): string => {
  const { loss, from, targets, shape, dtype, pass } = workload;
  const title = `${loss} ${from} ${targets} ${shape.join('×')} ${dtype} ${pass}`;
  return threads === undefined
    ? title
    : `${title}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
};

export const gamma = 2;
export const alpha = 0.25;

export function criterionOf({ loss, from }: Workload): Criterion {
  if (loss === 'BinaryFocalLoss') return new BinaryFocalLoss({ from, gamma, alpha });
  if (loss === 'CategoricalFocalLoss') return new CategoricalFocalLoss({ from, gamma });
  return new losses[loss]({ from });
}

export type Choice = Partial<Omit<Workload, 'loss' | 'shape'>>;

export function workload(
  loss: Workload['loss'],
  shape: readonly number[],
  choice: Choice = {},
): Workload {
  return {
    loss,
    shape,
    from: 'logits',
    targets: 'class ids',
    dtype: 'float32',
    pass: 'value and gradient',
    hasPeers: false,
    ...choice,
  };
}

/** As small as a look at whether they run can be; what is then alike is done once. */
export function quick(chosen: readonly Workload[]): Workload[] {
  const small = chosen.map((workload) => {
    const most = workload.shape.length > 2 ? 6 : 40;
    return { ...workload, shape: workload.shape.map((length) => Math.min(length, most)) };
  });
  return [...new Map(small.map((workload) => [titleOf(workload), workload])).values()];
}

export const elementsOf = ({ shape }: Workload): number => shape.reduce((n, length) => n * length);

/** One class id is asked for each. */
export const rowsOf = (workload: Workload): number =>
  elementsOf(workload) / (workload.shape[1] as number);

const bytesOf = { float32: 4, float64: 8, float16: 2, bfloat16: 2 };
const bytesOfId = 4;

export const bytesOfInputs = (workload: Workload): number =>
  elementsOf(workload) * bytesOf[workload.dtype];

/** The least that must be read and written: inputs, targets, gradient and loss, each once. */
export function bytesMoved(workload: Workload): number {
  const { loss, from, targets, dtype, pass } = workload;
  const ids = targets === 'class ids';
  // Without a softmax a categorical loss of class ids asks for one element of a row.
  const gathers = ids && from === 'probabilities' && !loss.startsWith('Binary');
  const inputs = gathers ? rowsOf(workload) * bytesOf[dtype] : bytesOfInputs(workload);
  const read = inputs + (ids ? rowsOf(workload) * bytesOfId : bytesOfInputs(workload));
  const gradient = pass === 'value' ? 0 : bytesOfInputs(workload);
  return read + gradient + (dtype === 'float64' ? 8 : 4);
}
