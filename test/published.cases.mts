// Results that other projects publish for their own losses, and edge cases from bug reports worked
// out to 60 digits, each with the options that stand for that project's convention.
//
// Keras 3 (keras/src/losses/losses_test.py, Apache-2.0): the mean is over the batch, the binary
// losses take the mean over the classes first; sample weights do not enter the divisor. Left out:
// probabilities that do not sum to 1, in the categorical losses.
// optax (optax/losses/_classification_test.py, Apache-2.0): one loss per row. Left out: soft labels
// of its focal loss, which has one factor (1 − p_t)^γ for both sides.
// TensorFlow.js (tfjs-core/src/ops/losses, Apache-2.0; tfjs-layers/src/losses_test.ts, MIT): the
// default mean is over the non-zero weights; its weights of shape [1, C] are our `weight`.
// MLX (python/tests/test_losses.py, MIT): one loss per row. Left out: its class weights together with
// smoothing, which multiply the whole row instead of each class, and NaN for a masked class whose dense
// target is 0, which is 0 here.
import type { LossOptions, NestedArray } from 'culoss';
import type { LossName } from './cases.mjs';

type Options = LossOptions & {
  gamma?: number;
  posWeight?: number;
};

export interface Published {
  source: string;
  loss: LossName;
  options: Options;
  inputs: NestedArray;
  targets: NestedArray;
  sampleWeight?: NestedArray;
  /** In the order of memory: one number for a mean or a sum. */
  value: number[];
  grad?: number[];
  /** Half a unit of the last digit that was published, or the tolerance of the project's own test. */
  within?: number;
  relative?: number;
  /** Where a figure depends on the type that the project computes in. */
  dtype?: 'float32';
}

const none = Number.NEGATIVE_INFINITY;
const I3 = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const logits = { from: 'logits' } as const;
const unclamped = { clamp: null } as const;
const each = { reduction: 'none' } as const;
const total = { reduction: 'sum' } as const;
const perRow = { normalizer: 'rows' } as const;

const Z = [
  [8, 1, 1],
  [0, 9, 1],
  [2, 3, 5],
];
/** What Keras clips to, in the type that it clips in. */
const kerasClipped = {
  loss: 'BinaryCrossEntropy',
  options: { clamp: [1e-7, 1 - 1e-7] },
  inputs: [
    [1, 1],
    [1, 0],
  ],
  targets: [
    [1, 0],
    [1, 0],
  ],
  dtype: 'float32',
} as const;
const kerasBinaryLogits = [
  [10, -10, 10],
  [10, 10, -10],
];
const kerasBinaryTargets = [
  [1, 0, 1],
  [0, 1, 1],
];
const kerasFocal = {
  loss: 'BinaryFocalLoss',
  options: unclamped,
  inputs: [
    [0.9, 0.8],
    [0.7, 0.2],
  ],
  targets: [
    [1, 0],
    [1, 0],
  ],
} as const;
const kerasFocalLogits = {
  loss: 'BinaryFocalLoss',
  options: { ...logits, gamma: 3 },
  inputs: [
    [1.5, -2.7, 2.9],
    [-3.8, 1.2, -4.5],
  ],
  targets: [
    [1, 1, 0],
    [0, 1, 0],
  ],
} as const;
const tfX = [
  [10, -10, -10],
  [-10, 10, -10],
  [-10, -10, 10],
];
const tfL = [
  [0, 0, 1],
  [1, 0, 0],
  [0, 1, 0],
];
const tfW = [0.1, 0.2, 0.3];

/** An image of 4 × 4 pixels, every one right and certain but for those named: exact zeros and ones. */
function segmentation(classes: number, probabilities: Record<number, number>, axis = 1) {
  const ids = Array.from({ length: 16 }, (_, pixel) => (pixel * 5) % classes);
  const plane = (c: number): number[] =>
    ids.map((id, pixel) => {
      const p = probabilities[pixel] ?? 1;
      return c === id ? p : c === (id + 1) % classes ? 1 - p : 0;
    });
  const square = (flat: number[]): number[][] => [0, 4, 8, 12].map((i) => flat.slice(i, i + 4));
  const planes = Array.from({ length: classes }, (_, c) => square(plane(c)));
  return {
    loss: 'NegativeLogLoss',
    options: { ...unclamped, axis },
    inputs: axis === 0 ? planes : [planes],
    targets: axis === 0 ? square(ids) : [square(ids)],
  } as const;
}

const k = 'Keras';
const t = 'TensorFlow.js';

const keras: Published[] = [
  {
    source: `${k} BinaryCrossentropy probabilities`,
    loss: 'BinaryCrossEntropy',
    options: unclamped,
    inputs: [
      [0.9, 0.1, 0.2],
      [0.3, 0.8, 0.1],
      [0.1, 0.2, 0.7],
    ],
    targets: I3,
    value: [0.20046903],
    within: 5e-7,
  },
  { source: `${k} BinaryCrossentropy probabilities of 0 and 1`, ...kerasClipped, value: [3.98559], within: 1e-5 },
  { source: `${k} BinaryCrossentropy probabilities of 0 and 1, sample_weight 2.3`, ...kerasClipped, sampleWeight: [2.3, 2.3], value: [9.1668], within: 1e-4 },
  { source: `${k} BinaryCrossentropy probabilities of 0 and 1, sample_weight [[1.2], [3.4]]`, ...kerasClipped, sampleWeight: [[1.2], [3.4]], value: [4.7827], within: 1e-4 },
  { source: `${k} BinaryCrossentropy logits`, loss: 'BinaryCrossEntropy', options: logits, inputs: kerasBinaryLogits, targets: kerasBinaryTargets, value: [3.3333], within: 1e-3 },
  { source: `${k} BinaryCrossentropy logits, no reduction, row 0`, loss: 'BinaryCrossEntropy', options: logits, inputs: [[10, -10, 10]], targets: [[1, 0, 1]], value: [0], within: 1e-3 },
  { source: `${k} BinaryCrossentropy logits, no reduction, row 1`, loss: 'BinaryCrossEntropy', options: logits, inputs: [[10, 10, -10]], targets: [[0, 1, 1]], value: [6.666], within: 1e-3 },
  { source: `${k} BinaryCrossentropy logits, sample_weight 2.3`, loss: 'BinaryCrossEntropy', options: logits, inputs: kerasBinaryLogits, targets: kerasBinaryTargets, sampleWeight: [2.3, 2.3], value: [7.666], within: 1e-3 },
  { source: `${k} BinaryCrossentropy logits, sample_weight [4, 3]`, loss: 'BinaryCrossEntropy', options: logits, inputs: kerasBinaryLogits, targets: kerasBinaryTargets, sampleWeight: [4, 3], value: [10], within: 1e-3 },
  { source: `${k} BinaryCrossentropy label_smoothing 0.1`, loss: 'BinaryCrossEntropy', options: { ...logits, labelSmoothing: 0.1 }, inputs: [[10, -10, -10]], targets: [[1, 0, 1]], value: [(10 + 5 * 0.1) / 3], within: 1e-4 },
  { source: `${k} CategoricalCrossentropy logits`, loss: 'NegativeLogLoss', options: logits, inputs: Z, targets: I3, value: [0.0573], within: 1e-4 },
  { source: `${k} SparseCategoricalCrossentropy logits, sample_weight 2.3`, loss: 'NegativeLogLoss', options: logits, inputs: Z, targets: [0, 1, 2], sampleWeight: [2.3, 2.3, 2.3], value: [0.1317], within: 1e-3 },
  { source: `${k} SparseCategoricalCrossentropy logits, sample_weight [1.2, 3.4, 5.6]`, loss: 'NegativeLogLoss', options: logits, inputs: Z, targets: [0, 1, 2], sampleWeight: [1.2, 3.4, 5.6], value: [0.31829], within: 1e-5 },
  { source: `${k} CategoricalCrossentropy logits, no reduction`, loss: 'NegativeLogLoss', options: { ...logits, ...each }, inputs: Z, targets: I3, value: [0.001822, 0.000459, 0.169846], within: 1e-6 },
  { source: `${k} CategoricalCrossentropy label_smoothing 0.1`, loss: 'NegativeLogLoss', options: { ...logits, labelSmoothing: 0.1 }, inputs: [[100, -100, -100]], targets: [[1, 0, 0]], value: [(400 * 0.1) / 3], within: 1e-4 },
  {
    source: `${k} SparseCategoricalCrossentropy ignore_class -1`,
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each, ignoreIndex: -1, axis: -1 },
    inputs: [
      [
        [0.854, 0.698, 0.598],
        [0.088, 0.86, 0.018],
      ],
    ],
    targets: [[-1, 2]],
    value: [0, 1.480129],
    within: 1e-6,
  },
  { source: `${k} test_binary_segmentation`, ...segmentation(2, { 3: 0.2, 9: 0.4 }), value: [-(Math.log(0.2) + Math.log(0.4)) / 16], within: 1e-12 },
  { source: `${k} test_binary_segmentation, axis 0`, ...segmentation(2, { 3: 0.2, 9: 0.4 }, 0), value: [-(Math.log(0.2) + Math.log(0.4)) / 16], within: 1e-12 },
  { source: `${k} test_multi_class_segmentation`, ...segmentation(3, { 0: 0.2, 6: 0.3, 15: 0.5 }), value: [-(Math.log(0.2) + Math.log(0.3) + Math.log(0.5)) / 16], within: 1e-12 },
  { source: `${k} BinaryFocalCrossentropy gamma 2`, ...kerasFocal, value: [0.26803], within: 5e-6 },
  { source: `${k} BinaryFocalCrossentropy gamma 2, no reduction, row 0`, loss: 'BinaryFocalLoss', options: unclamped, inputs: [[0.9, 0.8]], targets: [[1, 0]], value: [0.515547], within: 5e-7 },
  { source: `${k} BinaryFocalCrossentropy gamma 2, no reduction, row 1`, loss: 'BinaryFocalLoss', options: unclamped, inputs: [[0.7, 0.2]], targets: [[1, 0]], value: [0.020513], within: 5e-7 },
  { source: `${k} BinaryFocalCrossentropy gamma 2, sample_weight 1.23`, ...kerasFocal, sampleWeight: [1.23, 1.23], value: [0.3296], within: 1e-4 },
  { source: `${k} BinaryFocalCrossentropy gamma 2, sample_weight [1.2, 3.4]`, ...kerasFocal, sampleWeight: [1.2, 3.4], value: [0.344201], within: 5e-7 },
  { source: `${k} BinaryFocalCrossentropy logits, gamma 3`, ...kerasFocalLogits, value: [0.799], within: 1e-3 },
  { source: `${k} BinaryFocalCrossentropy logits, gamma 3, sample_weight 3.21`, ...kerasFocalLogits, sampleWeight: [3.21, 3.21], value: [2.565], within: 1e-3 },
  { source: `${k} BinaryFocalCrossentropy logits, gamma 3, sample_weight [1.2, 3.4]`, ...kerasFocalLogits, sampleWeight: [1.2, 3.4], value: [0.960096], within: 5e-7 },
  { source: `${k} BinaryFocalCrossentropy saturated`, loss: 'BinaryFocalLoss', options: { ...unclamped, gamma: 1.5 }, inputs: I3, targets: I3, value: [0], within: 0 },
  { source: `${k} BinaryFocalCrossentropy saturated logits`, loss: 'BinaryFocalLoss', options: { ...logits, gamma: 1.5 }, inputs: I3.map((row) => row.map((y) => 200 * y - 100)), targets: I3, value: [0], within: 1e-40 },
  { source: `${k} BinaryFocalCrossentropy docstring, row 0`, loss: 'BinaryFocalLoss', options: unclamped, inputs: [[0.6, 0.4]], targets: [[0, 1]], value: [0.33], within: 5e-4 },
  { source: `${k} BinaryFocalCrossentropy docstring, row 1`, loss: 'BinaryFocalLoss', options: unclamped, inputs: [[0.4, 0.6]], targets: [[0, 0]], value: [0.206], within: 5e-4 },
  { source: `${k} binary_crossentropy docstring, row 0`, loss: 'BinaryCrossEntropy', options: unclamped, inputs: [[0.6, 0.4]], targets: [[0, 1]], value: [0.916], within: 5e-4 },
  { source: `${k} binary_crossentropy docstring, row 1`, loss: 'BinaryCrossEntropy', options: unclamped, inputs: [[0.4, 0.6]], targets: [[0, 0]], value: [0.714], within: 5e-4 },
  { source: `${k} CategoricalFocalCrossentropy logits`, loss: 'CategoricalFocalLoss', options: { ...logits, alpha: 0.25 }, inputs: Z, targets: I3, value: [0.000345], within: 5e-7 },
  { source: `${k} CategoricalFocalCrossentropy logits, sample_weight 2.3`, loss: 'CategoricalFocalLoss', options: { ...logits, alpha: 0.25 }, inputs: Z, targets: I3, sampleWeight: [2.3, 2.3, 2.3], value: [0.000794], within: 5e-7 },
  { source: `${k} CategoricalFocalCrossentropy logits, sample_weight [1.2, 3.4, 5.6]`, loss: 'CategoricalFocalLoss', options: { ...logits, alpha: 0.25 }, inputs: Z, targets: I3, sampleWeight: [1.2, 3.4, 5.6], value: [0.001933], within: 1e-6 },
  { source: `${k} CategoricalFocalCrossentropy logits, no reduction`, loss: 'CategoricalFocalLoss', options: { ...logits, ...each, alpha: 0.25 }, inputs: Z, targets: I3, value: [1.5096224e-9, 2.4136547e-11, 1.0360638e-3], within: 1e-9 },
  { source: `${k} CategoricalFocalCrossentropy label_smoothing 0.1`, loss: 'CategoricalFocalLoss', options: { ...logits, alpha: 0.25, labelSmoothing: 0.1 }, inputs: [[4.9, -0.5, 2.05]], targets: [[1, 0, 0]], value: [0.06685], within: 5e-6 },
  {
    source: `${k} CategoricalFocalCrossentropy docstring`,
    loss: 'CategoricalFocalLoss',
    options: { ...unclamped, ...each, alpha: 0.25 },
    inputs: [
      [0.05, 0.9, 0.05],
      [0.1, 0.85, 0.05],
    ],
    targets: [
      [0, 1, 0],
      [0, 0, 1],
    ],
    value: [2.63401289e-4, 6.75912094e-1],
    within: 1e-8,
  },
];

const optaxMasked = [
  [none, 0, 0],
  [none, 0, 0],
  [none, 0, none],
];
const optax: Published[] = [
  {
    source: 'optax softmax cross-entropy',
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each },
    inputs: [
      [10, 1, -2],
      [1, 4, 0.2],
    ],
    targets: [1, 0],
    value: [9.00013, 3.0696733],
    within: 1e-4,
  },
  {
    source: 'optax safe softmax cross-entropy',
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each },
    inputs: optaxMasked,
    targets: [
      [0, 0.5, 0.5],
      [0.4, 0.3, 0.3],
      [0, 1, 0],
    ],
    value: [Math.LN2, Number.POSITIVE_INFINITY, 0],
    within: 1e-15,
  },
  {
    source: 'optax docstring',
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each },
    inputs: [
      [1.2, -0.8, -0.5],
      [0.9, -1.2, 1.1],
    ],
    targets: [0, 1],
    value: [0.2761, 2.9518],
    within: 5e-5,
  },
  { source: 'optax soft targets', loss: 'NegativeLogLoss', options: { ...logits, ...total }, inputs: [[0.14, 1.456, 2.356, -0.124, -2.47]], targets: [[0.1, 0.15, 0.2, 0.25, 0.3]], value: [2.899], within: 5e-4 },
  {
    source: 'optax soft targets, a batch',
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each },
    inputs: [
      [4, 2, 1],
      [0, 5, 1],
    ],
    targets: [
      [1, 0, 0],
      [0, 0.8, 0.2],
    ],
    value: [0.1698, 0.8247],
    within: 1e-4,
  },
  { source: 'optax docstring, two class axes, here one', loss: 'NegativeLogLoss', options: { ...logits, ...each }, inputs: [[...Array(12).keys()], [...Array(12).keys()].map((x) => x + 12)], targets: [5, 11], value: [6.4587, 0.4587], within: 5e-5 },
  { source: 'optax sigmoid cross-entropy, large and small', loss: 'BinaryCrossEntropy', options: logits, inputs: [[-1e9, -1e-9]], targets: [[1, 0]], value: [5e8], within: 500 },
  { source: 'optax sigmoid cross-entropy, right', loss: 'BinaryCrossEntropy', options: logits, inputs: [[-1e9, -1e-9]], targets: [[0, 1]], value: [0.3465736], within: 5e-8 },
  { source: 'optax sigmoid cross-entropy, large, right', loss: 'BinaryCrossEntropy', options: logits, inputs: [[1e9, 1e-9]], targets: [[1, 0]], value: [0.3465736], within: 5e-8 },
  { source: 'optax sigmoid cross-entropy, large, wrong', loss: 'BinaryCrossEntropy', options: logits, inputs: [[1e9, 1e-9]], targets: [[0, 1]], value: [5e8], within: 500 },
  { source: 'optax sigmoid cross-entropy at 0', loss: 'BinaryCrossEntropy', options: logits, inputs: [[0, 0]], targets: [[0, 1]], value: [0.6931472], within: 5e-8 },
];

const tfjs: Published[] = [
  { source: `${t} sigmoidCrossEntropy`, loss: 'BinaryCrossEntropy', options: logits, inputs: tfX, targets: tfL, value: [6.6667123], within: 1e-6 },
  { source: `${t} sigmoidCrossEntropy, right`, loss: 'BinaryCrossEntropy', options: logits, inputs: tfX, targets: I3, value: [0], within: 1e-4 },
  { source: `${t} sigmoidCrossEntropy, weights [1, 3], SUM_BY_NONZERO_WEIGHTS`, loss: 'BinaryCrossEntropy', options: { ...logits, weight: tfW }, inputs: tfX, targets: tfL, value: [1.3333424], within: 1e-6 },
  { source: `${t} sigmoidCrossEntropy, weights [1, 3], NONE`, loss: 'BinaryCrossEntropy', options: { ...logits, ...each, weight: tfW }, inputs: tfX, targets: tfL, value: [1.0000046, 9.0797803e-6, 3.0000138, 1.0000046, 2.0000093, 1.3619671e-5, 4.5398901e-6, 2.0000093, 3.0000138], within: 1e-6 },
  { source: `${t} sigmoidCrossEntropy, weights [1, 3], MEAN`, loss: 'BinaryCrossEntropy', options: { ...logits, weight: tfW, normalizer: 3 * (0.1 + 0.2 + 0.3) }, inputs: tfX, targets: tfL, value: [6.666712284088135], within: 1e-6 },
  { source: `${t} sigmoidCrossEntropy, weights [1, 3], labelSmoothing 0.3, MEAN`, loss: 'BinaryCrossEntropy', options: { ...logits, weight: tfW, labelSmoothing: 0.3, normalizer: 1.8 }, inputs: tfX, targets: tfL, value: [6.1667128], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy`, loss: 'NegativeLogLoss', options: logits, inputs: tfX, targets: tfL, value: [20], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy, right`, loss: 'NegativeLogLoss', options: logits, inputs: tfX, targets: I3, value: [0], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy, weights [3], NONE`, loss: 'NegativeLogLoss', options: { ...logits, ...each }, inputs: tfX, targets: tfL, sampleWeight: tfW, value: [2, 4, 6], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy, weights [3], MEAN`, loss: 'NegativeLogLoss', options: { ...logits, normalizer: 0.1 + 0.2 + 0.3 }, inputs: tfX, targets: tfL, sampleWeight: tfW, value: [20], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy, weights [3], labelSmoothing 0.3, MEAN`, loss: 'NegativeLogLoss', options: { ...logits, labelSmoothing: 0.3, normalizer: 0.1 + 0.2 + 0.3 }, inputs: tfX, targets: tfL, sampleWeight: tfW, value: [18], within: 1e-6 },
  { source: `${t} softmaxCrossEntropy, weights [3], SUM_BY_NONZERO_WEIGHTS`, loss: 'NegativeLogLoss', options: { ...logits, ...perRow }, inputs: tfX, targets: tfL, sampleWeight: tfW, value: [4], within: 1e-6 },
  {
    source: `${t} sigmoidCrossEntropyWithLogits of layers`,
    loss: 'BinaryCrossEntropy',
    options: { ...logits, ...each },
    inputs: [-10, -5, 0, 0.5, 2].map((x) => [x, x, x]),
    targets: [-10, -5, 0, 0.5, 2].map(() => [0, 0.5, 1]),
    value: [4.5398901e-5, 5.0000453, 10.000046, 6.7153485e-3, 2.5067153, 5.0067153, Math.LN2, Math.LN2, Math.LN2, 0.97407699, 0.72407699, 0.47407699, 2.1269281, 1.126928, 0.126928],
    within: 1e-6,
  },
  {
    source: `${t} sparseCategoricalCrossentropy`,
    loss: 'NegativeLogLoss',
    options: { ...unclamped, ...each },
    inputs: [
      [0.1, 0.2, 0.7],
      [0.2, 0.3, 0.5],
    ],
    targets: [0, 2],
    value: [2.3025851, 0.6931472],
    within: 5e-8,
  },
  {
    source: `${t} categoricalCrossentropy of sequences`,
    loss: 'NegativeLogLoss',
    options: { ...unclamped, ...each, axis: -1 },
    inputs: [
      [
        [0.3, 0.7],
        [0.4, 0.6],
      ],
      [
        [0.2, 0.8],
        [0.55, 0.45],
      ],
    ],
    targets: [
      [
        [0, 1],
        [1, 0],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ],
    value: [0.35667497, 0.9162907, 0.22314353, 0.597837],
    within: 1e-7,
  },
];

const mlxLogits = [
  [2, -1],
  [-1, 2],
];
const mlx: Published[] = [
  { source: 'MLX cross_entropy, class weights', loss: 'NegativeLogLoss', options: { ...logits, ...each, weight: [1, 2] }, inputs: mlxLogits, targets: [0, 1], value: [0.04858735, 0.0971747], within: 1e-7 },
  { source: 'MLX cross_entropy, label_smoothing 0.3', loss: 'NegativeLogLoss', options: { ...logits, ...each, labelSmoothing: 0.3 }, inputs: mlxLogits, targets: [0, 1], value: [0.498587, 0.498587], within: 1e-6 },
  { source: 'PyTorch cross_entropy, class weights and label_smoothing 0.3', loss: 'NegativeLogLoss', options: { ...logits, ...each, weight: [1, 2], labelSmoothing: 0.3 }, inputs: mlxLogits, targets: [0, 1], value: [0.95587545, 0.5398866], within: 1e-7 },
  { source: 'PyTorch cross_entropy, class weights and label_smoothing 0.3, mean', loss: 'NegativeLogLoss', options: { ...logits, weight: [1, 2], labelSmoothing: 0.3 }, inputs: mlxLogits, targets: [0, 1], value: [0.49858735], within: 1e-7 },
  {
    source: 'MLX cross_entropy, masked classes',
    loss: 'NegativeLogLoss',
    options: { ...logits, ...each },
    inputs: [
      [0, none],
      [none, 0],
    ],
    targets: [0, 1],
    value: [0, 0],
    within: 0,
  },
  { source: 'MLX binary_cross_entropy logits', loss: 'BinaryCrossEntropy', options: { ...logits, ...each }, inputs: [[0.105361], [0.223144], [1.20397], [0.916291]], targets: [[0], [0], [1], [1]], value: [0.747215, 0.81093, 0.262365, 0.336472], within: 1e-6 },
  { source: 'MLX binary_cross_entropy logits, weights', loss: 'BinaryCrossEntropy', options: { ...logits, ...each }, inputs: [[0.105361], [0.223144], [1.20397], [0.916291]], targets: [[0], [0], [1], [1]], sampleWeight: [1, 2, 1, 2], value: [0.747215, 1.62186, 0.262365, 0.672944], within: 2e-6 },
  { source: 'MLX binary_cross_entropy probabilities', loss: 'BinaryCrossEntropy', options: { ...unclamped, ...each }, inputs: [[0.5, 0.6, 0.7, 0.8]], targets: [[0, 0, 1, 1]], value: [0.693147, 0.916291, 0.356675, 0.223144], within: 1e-6 },
  { source: 'MLX binary_cross_entropy probabilities at the ends', loss: 'BinaryCrossEntropy', options: { ...unclamped, ...each }, inputs: [[0, 1e-59, 1 - 1e-59, 1]], targets: [[0, 0, 1, 1]], value: [0, 1e-59, 1e-59, 0], within: 1e-58 },
];

/** Sigmoid focal loss: source, logit, target, alpha, gamma, loss, derivative by the logit. */
const sigmoidFocal: [string, number, number, number | undefined, number, number, number][] = [
  ['sam3 575', 18, 1, 0.5, 0, 7.61498981437e-9, -7.61498975638e-9],
  ['sam3 575', -18, 0, 0.5, 0, 7.61498981437e-9, 7.61498975638e-9],
  ['kornia 918', -100, 0, 0.25, 0.5, 5.38e-66, 8.07e-66],
  ['kornia 918', -100, 1, 0.25, 0.5, 25, -0.25],
  ['kornia 918', 100, 0, 0.25, 0.5, 75, 0.75],
  ['kornia 918', 100, 1, 0.25, 0.5, 1.79e-66, -2.69e-66],
  ['optax, its two factors', 100, 0.9, undefined, 0.5, 10, 0.1],
  ['optax, its two factors', -100, 0.1, undefined, 0.5, 10, -0.1],
  ['optax, its two factors', 75, 0.8, undefined, 0.5, 15, 0.2],
  ['optax, its two factors', -75, 0.2, undefined, 0.5, 15, -0.2],
  ['optax', 50, 1, undefined, 0.5, 2.67863696181e-33, -4.01795544271e-33],
  ['kornia 2115', 100, 1, 0.25, 2, 1.287e-131, -3.861e-131],
  ['an easy example', 20, 1, 0.25, 2, 2.18912767939e-27, -6.5673830269e-27],
  ['an easy example', 20, 1, undefined, 1, 4.24835424216e-18, -8.49670847118e-18],
  ['tensorflow 70326', -2, 0, undefined, 0, 0.126928011043, 0.119202922022],
  ['tensorflow 70326', 0.3, 1, undefined, 0, 0.554355244469, -0.425557483188],
  ['tensorflow 70326', 19, 1, undefined, 0, 5.60279642184e-9, -5.60279640615e-9],
  ['mmcv 1488', 9.390625, 0, 0.25, 2, 7.04185529011, 0.750988086476],
  ['mmcv 1488', 9.390625, 1, 0.25, 2, 1.45532333325e-13, -4.3656662137e-13],
];

/** Softmax focal loss: logits, target, alpha, gamma, loss, gradient. */
const softmaxFocal: [number[], number, number, number, number, number[]][] = [
  [[30, 0, -5], 0, 0.25, 2, 2.09019090541e-40, [-6.27057271624e-40, 6.22860470784e-40, 4.19680083997e-42]],
  [[200, 0, 0], 0, 1, 0.5, 1.456e-130, [-2.184e-130, 1.092e-130, 1.092e-130]],
  [[2, -1, 0.5], 1, 1, 0, 3.24131129666, [0.785597034589, -0.960887426729, 0.17529039214]],
  [[2, -1, 0.5], 0, 1, 0.5, 0.11173598123, [-0.143166164668, 0.0261171625808, 0.117049002087]],
  [[2, -1, 0.5], 2, 0.25, 3.7, 0.213368510961, [0.228084066225, 0.0113556369988, -0.239439703224]],
];

/** Twelve digits are given, but three or four of what float32 takes for 0. */
const digitsOf = (value: number): number => (value < 1e-50 ? 5e-3 : 1e-11);

const edges: Published[] = [
  ...sigmoidFocal.map(
    ([source, x, y, alpha, gamma, value, slope]): Published => ({
      source: `${source} at ${x}, target ${y}, gamma ${gamma}`,
      loss: 'BinaryFocalLoss',
      options: { ...logits, ...total, gamma, ...(alpha === undefined ? {} : { alpha }) },
      inputs: [[x]],
      targets: [[y]],
      value: [value],
      grad: [slope],
      relative: digitsOf(value),
    }),
  ),
  ...softmaxFocal.map(
    ([row, target, alpha, gamma, value, grad]): Published => ({
      source: `softmax focal at [${row}], target ${target}, gamma ${gamma}`,
      loss: 'CategoricalFocalLoss',
      options: { ...logits, gamma, alpha },
      inputs: [row],
      targets: [target],
      value: [value],
      grad,
      relative: digitsOf(value),
    }),
  ),
  { source: 'pytorch 103316: the gradient through a sigmoid at -50', loss: 'BinaryCrossEntropy', options: logits, inputs: [Array(8).fill(-50)], targets: [Array(8).fill(1)], value: [50], grad: Array(8).fill(-0.125), within: 1e-12 },
];

export const published: Published[] = [...keras, ...optax, ...tfjs, ...mlx, ...edges];
