// What is measured: losses × shapes × dtypes, as data.
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  type FloatDtype,
  NegativeLogLoss,
} from 'culoss';

const losses = { NegativeLogLoss, BinaryCrossEntropy, BinaryFocalLoss, CategoricalFocalLoss };

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

const storage = ['float32', 'bfloat16'] as const;
const vocabulary = [4096, 32000];
const detection = [65536, 80];

/** The shapes that the project has set itself goals for, and what others make of them. */
const goals: Workload[] = storage.flatMap((dtype) => {
  const withPeers = { dtype, hasPeers: true };
  const dense = { ...withPeers, targets: 'one-hot' } as const;
  const probabilities = { ...withPeers, from: 'probabilities' } as const;
  return [
    workload('BinaryFocalLoss', vocabulary, probabilities),
    workload('BinaryFocalLoss', detection, probabilities),
    workload('BinaryFocalLoss', vocabulary, dense),
    workload('BinaryFocalLoss', detection, dense),
    workload('BinaryCrossEntropy', vocabulary, probabilities),
    workload('BinaryCrossEntropy', vocabulary, dense),
    workload('CategoricalFocalLoss', vocabulary, withPeers),
    workload('NegativeLogLoss', vocabulary, withPeers),
  ];
});

const wideVocabulary = (['CategoricalFocalLoss', 'NegativeLogLoss'] as const).map((loss) =>
  workload(loss, [8192, 131072], { dtype: 'bfloat16', hasPeers: true }),
);

/** Rows of every length, from one warp to many blocks, in tensors of one size. */
const elements = 2 ** 27;
const lengths = [32, 100, 256, 1000, 4096, 8192, 32000, 50257, 131072, 262144];
const rowsOfAllLengths = storage.flatMap((dtype) => [
  ...lengths.map((columns) =>
    workload('CategoricalFocalLoss', [Math.round(elements / columns), columns], { dtype }),
  ),
  workload('CategoricalFocalLoss', [16, 262144], { dtype }), // fewer rows than multiprocessors
  workload('CategoricalFocalLoss', [8, 19, 512, 1024], { dtype }), // images, channels first
]);

/** Where most of the inputs need not be read, or nothing be written. */
const others: Workload[] = [
  workload('NegativeLogLoss', vocabulary, { from: 'probabilities', hasPeers: true }),
  workload('CategoricalFocalLoss', [2 ** 20, 100], { from: 'probabilities', hasPeers: true }),
  workload('CategoricalFocalLoss', vocabulary, { targets: 'one-hot' }),
  workload('BinaryFocalLoss', vocabulary),
  workload('BinaryFocalLoss', detection),
  workload('BinaryFocalLoss', vocabulary, { dtype: 'float16' }),
  workload('BinaryFocalLoss', vocabulary, { dtype: 'float64' }),
  workload('BinaryFocalLoss', vocabulary, { from: 'probabilities', pass: 'value' }),
  workload('CategoricalFocalLoss', vocabulary, { pass: 'value' }),
  workload('CategoricalFocalLoss', vocabulary, { from: 'probabilities', pass: 'value' }),
];

/** Nothing but the way from JavaScript to the device. */
const tiny = (Object.keys(losses) as Workload['loss'][]).map((loss) => workload(loss, [16, 10]));

export const workloads: readonly Workload[] = [
  ...goals,
  ...wideVocabulary,
  ...rowsOfAllLengths,
  ...others,
  ...tiny,
];

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
