// TensorFlow.js as a live oracle: its losses with weights and smoothing, and their gradients, on
// random inputs. It computes in float32.
import * as tf from '@tensorflow/tfjs';
import { type TensorLike, tensor } from 'culoss';
import { criterionOf, randomNumbers } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import type { Spec } from './reference.mjs';

tf.enableProdMode(); // no advice on its other backends

const [n, columns] = [13, 7];
const random = randomNumbers(11);
const matrix = (draw: () => number): number[][] =>
  Array.from({ length: n }, () => Array.from({ length: columns }, draw));

const logits = matrix(() => random() * 16 - 8);
const probabilities = matrix(() => 0.01 + 0.98 * random());
const multiHot = matrix(() => Number(random() < 0.3));
const soft = matrix(() => random());
const oneHot = multiHot.map((_, r) =>
  Array.from({ length: columns }, (_, c) => Number(c === (r * 3) % columns)),
);
const elementWeights = matrix(() => 0.1 + random());
const rowWeights = Array.from({ length: n }, () => 0.1 + random());

type Loss = (x: tf.Tensor, y: tf.Tensor, smoothing: number) => tf.Tensor;

interface Case {
  title: string;
  spec: Spec;
  targets: number[][];
  inputs: number[][];
  sampleWeight?: number[] | number[][];
  theirs: Loss;
}

const { sigmoidCrossEntropy, softmaxCrossEntropy, logLoss } = tf.losses;
const sum = tf.Reduction.SUM;
const binary: Spec = { loss: 'BinaryCrossEntropy', from: 'logits' };
const softmax: Spec = { loss: 'NegativeLogLoss', from: 'logits' };
const weights = tf.tensor2d(elementWeights);

const cases: Case[] = [
  {
    title: 'sigmoidCrossEntropy',
    spec: binary,
    targets: multiHot,
    inputs: logits,
    theirs: (x, y, e) => sigmoidCrossEntropy(y, x, undefined, e, sum),
  },
  {
    title: 'sigmoidCrossEntropy of soft labels, weighted',
    spec: binary,
    targets: soft,
    inputs: logits,
    sampleWeight: elementWeights,
    theirs: (x, y, e) => sigmoidCrossEntropy(y, x, weights, e, sum),
  },
  {
    title: 'softmaxCrossEntropy',
    spec: softmax,
    targets: oneHot,
    inputs: logits,
    theirs: (x, y, e) => softmaxCrossEntropy(y, x, undefined, e, sum),
  },
  {
    title: 'softmaxCrossEntropy, weighted',
    spec: softmax,
    targets: oneHot,
    inputs: logits,
    sampleWeight: rowWeights,
    theirs: (x, y, e) => softmaxCrossEntropy(y, x, tf.tensor1d(rowWeights), e, sum),
  },
];

const logLosses: Case[] = [
  {
    title: 'logLoss',
    spec: { loss: 'BinaryCrossEntropy', clamp: null },
    targets: multiHot,
    inputs: probabilities,
    theirs: (x, y) => logLoss(y, x, undefined, 0, sum),
  },
  {
    title: 'logLoss of soft labels, weighted',
    spec: { loss: 'BinaryCrossEntropy', clamp: null },
    targets: soft,
    inputs: probabilities,
    sampleWeight: elementWeights,
    theirs: (x, y) => logLoss(y, x, weights, 0, sum),
  },
];

describe('TensorFlow.js', () => {
  const check = (
    { title, spec, targets, inputs, sampleWeight, theirs }: Case,
    smoothing: number,
  ): void => {
    onDevices(`${spec.loss} as tf.losses.${title}, smoothing ${smoothing}`, (device) => {
      const { value, grad } = tf.valueAndGrad(
        (x) => theirs(x, tf.tensor2d(targets), smoothing) as tf.Scalar,
      )(tf.tensor2d(inputs));
      const place = { dtype: 'float64', device } as const;
      const options: { sampleWeight?: TensorLike } = sampleWeight
        ? { sampleWeight: tensor(sampleWeight, undefined, place) }
        : {};
      const ours = criterionOf(
        { ...spec, labelSmoothing: smoothing },
        { reduction: 'sum' },
      ).valueAndGrad(tensor(inputs, undefined, place), tensor(targets, undefined, place), options);
      expectClose([ours.loss.item()], Array.from(value.dataSync()), { relative: 2e-6 });
      expectClose(numbers(ours.grad), Array.from(grad.dataSync()), {
        relative: 2e-4,
        absolute: 2e-6,
      });
    });
  };

  for (const row of cases) for (const smoothing of [0, 0.1, 0.3]) check(row, smoothing);
  for (const row of logLosses) check(row, 0);
});
