/**
 * The losses inside TensorFlow.js, whose functions are those of the `tf` that is passed in.
 *
 * @module culoss/tfjs
 */

import { checkDevice, type DeviceLike } from './device';
import { Description, fail, failType } from './errors';
import { type Criterion, isCriterion, optionsOf, variantOf } from './losses/criterion';
import type { LossOptions } from './losses/options';
import { type Batch, Samples } from './samples';
import { sameShape, sizeOf } from './shape';
import { checkOptions } from './validate';

/** What is used of a tensor of TensorFlow.js. */
export interface TfjsTensor {
  /** The lengths of its axes. */
  readonly shape: number[];
  /** `float32`, `int32` or `bool` of what a loss takes. */
  readonly dtype: string;
  /** Its elements as a typed array. */
  dataSync(): unknown;
  /** Gives its memory back. */
  dispose(): void;
  /** Whether that was done. */
  readonly isDisposed: boolean;
}

/** What is used of TensorFlow.js: `@tensorflow/tfjs` has it, and so have `-core` and `-node`. */
export interface Tfjs<T extends TfjsTensor> {
  /** Makes a tensor. */
  tensor(values: Float32Array, shape: number[], dtype: 'float32'): T;
  /** A function with a gradient of its own. */
  customGrad(
    // biome-ignore lint/suspicious/noExplicitAny: the input, and a function that saves tensors
    f: (...args: any[]) => { value: T; gradFunc: (dy: T, saved: T[]) => T },
  ): (input: T) => T;
  /** The backend in use; that of wasm has `typedArrayFromHeap`. */
  backend(): unknown;
}

/** Where the losses of {@link asTfjsLoss} are computed. */
export interface TfjsOptions {
  /** The engine, whatever backend TensorFlow.js has; default: `'cpu'`. */
  device?: DeviceLike;
}

/** What Keras clips probabilities to, in TensorFlow.js too: to 1e-7 from 0 and 1. */
const clampOfKeras = [1e-7, 1 - 1e-7] as const;

/** Options that say how many losses become one, which here TensorFlow.js does. */
const reductions = ['reduction', 'normalizer', 'onEmpty'] as const;

/**
 * A criterion as a loss of TensorFlow.js, for `model.compile({ loss })`, `optimizer.minimize` and
 * `tf.variableGrads`: of targets and predictions, in the order that TensorFlow.js has, it gives a tensor
 * `[batch]` with the loss of each sample, and has a gradient with respect to the predictions. That is
 * computed when it is asked for, in one pass, with the upstream gradient in it.
 *
 * The loss of a sample is the mean over its elements for the binary losses, as in Keras, and over its
 * rows for the categorical ones: of predictions `[batch, C]` there is one row in a sample, of
 * `[batch, height, width, C]` one in each pixel. What is ignored counts as 0 in that mean, and weights
 * are in no divisor.
 *
 * Two defaults are those of Keras: the class axis is the last one, and probabilities are clamped to
 * `[1e-7, 1 − 1e-7]`; `axis` and `clamp` of the criterion, where they are set, hold here, too.
 *
 * Targets are of any dtype: of the predictions' shape, give or take axes of length 1, they are dense,
 * else class ids, as the losses themselves take them. They have no gradient, and the predictions have
 * no second one. Neither tensor is written, and no other is kept; but memory for a gradient is, where
 * the backend copies it.
 *
 * Throws `ERR_OPTION` for a criterion whose `reduction`, `normalizer` or `onEmpty` is set, and for a
 * `tf` that is none; `ERR_DEVICE`, `ERR_CUDA_UNAVAILABLE`. What it returns throws what the criterion
 * does.
 *
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs';
 * import { BinaryFocalLoss } from 'culoss';
 * import { asTfjsLoss } from 'culoss/tfjs';
 * const loss = asTfjsLoss(tf, new BinaryFocalLoss({ from: 'logits' }));
 * const perSample = loss(tf.tensor2d([[1, 0], [0, 1]]), tf.tensor2d([[2, -1], [3, 0]]));
 * console.log(Array.from(perSample.dataSync(), (x) => x.toFixed(4))); // [ '0.0122', '1.4698' ]
 * ```
 */
export function asTfjsLoss<T extends TfjsTensor>(
  tf: Tfjs<T>,
  criterion: Criterion,
  options: TfjsOptions = {},
): (yTrue: T, yPred: T) => T {
  if (![tf?.tensor, tf?.customGrad, tf?.backend].every((f) => typeof f === 'function')) {
    failType('tf', 'TensorFlow.js, which has tensor, customGrad and backend', tf);
  }
  if (!isCriterion(criterion)) failType('criterion', 'one of the losses of culoss', criterion);
  checkOptions(options, ['device']);
  const device = checkDevice(options.device ?? 'cpu', 'options.device');
  const given = optionsOf(criterion);
  for (const name of reductions) {
    const expected = 'no value, since TensorFlow.js takes the mean of the losses of the samples';
    if (given[name] !== undefined) fail('ERR_OPTION', `options.${name}`, expected, given[name]);
  }
  const { axis = -1, oneHot, ignoreIndex } = given;
  const isClamped = given.from !== 'logits' && given.clamp === undefined;
  const defaults: LossOptions = isClamped ? { axis, clamp: clampOfKeras } : { axis };
  const asGiven = passesOf(criterion, defaults);
  const asDense = passesOf(criterion, { ...defaults, oneHot: oneHot ?? true });
  const asIds = passesOf(criterion, { ...defaults, oneHot: false });
  // Class ids cannot say what is ignored of a dense target, and who refuses dense ones means it.
  const mayBeIds = ignoreIndex === undefined && oneHot !== false;
  const memory = new Reused();

  const loss = (yTrue: T, yPred: T): T => {
    const shape = shapeOfPredictions(yPred);
    const isDense = checkTargets(yTrue, shape);
    const samples = new Samples(shape, axis, device);
    const shapeOfTargets = isDense ? shape : yTrue.shape;
    const arraysOf = (tensors: T[]): [Batch<Float32Array>, Batch] => {
      const [data, labels = data] = elementsOf(tf, tensors) as [Float32Array, Batch['data']];
      return [
        { data, shape },
        { data: labels, shape: shapeOfTargets },
      ];
    };
    const perSample = tf.customGrad((input: T, save: (tensors: T[]) => void) => {
      const [predictions, targets] = arraysOf([input, yTrue]);
      const ids = isDense && mayBeIds ? samples.idsOf(targets) : undefined;
      const { each, sum } = ids ? asIds : isDense ? asDense : asGiven;
      const means = samples.means(each, predictions, ids ?? targets);
      save(ids ? [input] : [input, yTrue]); // their memory would go away
      const gradFunc = (dy: T, saved: T[]): T => {
        const into = memory.of(tf, sizeOf(shape));
        const upstream = dy.dataSync() as Float32Array;
        const [predictions, targets] = arraysOf(saved);
        const slopes = samples.slopes(sum, predictions, ids ?? targets, upstream, into);
        return tf.tensor(slopes, yPred.shape, 'float32');
      };
      return { value: tf.tensor(means, [samples.count], 'float32'), gradFunc };
    });
    return perSample(yPred);
  };
  // By which a history of `fit` names it where it is a metric.
  const { name } = criterion.constructor;
  return Object.defineProperty(loss, 'name', { value: name[0]?.toLowerCase() + name.slice(1) });
}

/** Throws for what is no tensor of TensorFlow.js. */
function checkTensor(value: TfjsTensor, argument: string): void {
  const { shape, dataSync } = Object(value) as TfjsTensor;
  if (Array.isArray(shape) && typeof dataSync === 'function') return;
  fail('ERR_DTYPE', argument, 'a tensor of TensorFlow.js', value);
}

/** A loss for each target; and the sum of all, whose gradient takes a weight for each row. */
interface Passes {
  each: Criterion;
  sum: Criterion;
}

const passesOf = (criterion: Criterion, change: LossOptions): Passes => ({
  each: variantOf(criterion, { ...change, reduction: 'none' }),
  sum: variantOf(criterion, { ...change, reduction: 'sum' }),
});

/** The shape of predictions, of which a vector is a column. */
function shapeOfPredictions(yPred: TfjsTensor): readonly number[] {
  checkTensor(yPred, 'yPred');
  const { shape, dtype } = yPred;
  if (dtype !== 'float32') fail('ERR_DTYPE', 'yPred', 'float32', new Description(dtype));
  if (shape.length === 0) fail('ERR_SHAPE', 'yPred', 'a shape [batch, …]', shape);
  return shape.length === 1 ? [...shape, 1] : shape;
}

const dtypesOfTargets = ['float32', 'int32', 'bool'];

/** Whether targets are dense: they have the predictions' shape but for axes of length 1. */
function checkTargets(yTrue: TfjsTensor, shape: readonly number[]): boolean {
  checkTensor(yTrue, 'yTrue');
  const { shape: own, dtype } = yTrue;
  if (!dtypesOfTargets.includes(dtype)) {
    fail('ERR_DTYPE', 'yTrue', dtypesOfTargets.join(', '), new Description(dtype));
  }
  if (!sameShape(withoutOnes(own), withoutOnes(shape))) return false;
  if (own.length > 0 && own[0] !== shape[0]) {
    fail('ERR_SHAPE', 'targets', `${shape[0]} samples, as the predictions have`, own);
  }
  return true;
}

/**
 * The elements of tensors: where they are in the heap of the wasm backend, which holds until
 * TensorFlow.js goes on; else as `dataSync` gives them.
 */
function elementsOf<T extends TfjsTensor>(tf: Tfjs<T>, tensors: readonly T[]): Batch['data'][] {
  const backend = tf.backend() as { typedArrayFromHeap?: (tensor: T) => Batch['data'] };
  const { typedArrayFromHeap } = backend ?? {};
  const isHeap = typeof typedArrayFromHeap === 'function' && !tensors.some((t) => t.isDisposed);
  if (!isHeap) return tensors.map((tensor) => tensor.dataSync() as Batch['data']);
  for (const tensor of tensors) {
    try {
      backend.typedArrayFromHeap?.(tensor); // what another backend has moves, and the heap may grow
    } catch {} // it grew meanwhile
  }
  return tensors.map((tensor) => backend.typedArrayFromHeap?.(tensor) as Batch['data']);
}

const withoutOnes = (shape: readonly number[]): number[] => shape.filter((length) => length !== 1);

/** Memory for gradients, which is used again where TensorFlow.js copies what a tensor is made of. */
class Reused {
  #memory = new Float32Array();

  of<T extends TfjsTensor>(tf: Tfjs<T>, size: number): Float32Array {
    if (!copies(tf)) return new Float32Array(size);
    if (this.#memory.length !== size) this.#memory = new Float32Array(size);
    return this.#memory;
  }
}

/** Whether the backend in use does; that of the CPU does not. */
function copies<T extends TfjsTensor>(tf: Tfjs<T>): boolean {
  const data = Float32Array.of(1);
  const made = tf.tensor(data, [1], 'float32');
  data[0] = 2;
  const [first] = made.dataSync() as Float32Array;
  made.dispose();
  return first === 1;
}
