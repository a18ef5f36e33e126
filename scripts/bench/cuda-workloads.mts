// What is measured on a GPU: losses × shapes × dtypes.
import { detection, vocabulary, wideVocabulary } from '#bench/budgets.mjs';
import { lossNames, type Workload, workload } from '#bench/workloads.mjs';

const storage = ['float32', 'bfloat16'] as const;

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

const wide = (['CategoricalFocalLoss', 'NegativeLogLoss'] as const).map((loss) =>
  workload(loss, wideVocabulary, { dtype: 'bfloat16', hasPeers: true }),
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
const tiny = lossNames.map((loss) => workload(loss, [16, 10]));

export const workloads: readonly Workload[] = [
  ...goals,
  ...wide,
  ...rowsOfAllLengths,
  ...others,
  ...tiny,
];
