// Losses by sample, as TensorFlow.js takes them.
import { type ShapedData, tensor } from './convert';
import type { Device } from './device';
import { fail } from './errors';
import type { Criterion } from './losses/criterion';
import { scope } from './scope';
import { sizeOf } from './shape';

/** Typed arrays with a shape, of which the first axis is the batch. */
export interface Batch<A = Float32Array | Int32Array | Uint8Array> {
  data: A;
  shape: readonly number[];
}

/** Elements whose losses are computed at once: so many stay in a cache. */
const mostAtOnce = 2 ** 18;

/** Predictions and targets, made of samples along their first axis. */
export class Samples {
  readonly count: number;
  /** The predictions' shape without the class axis. */
  readonly #rowShape: readonly number[];
  /** Whose mean the loss of a sample is. */
  #lossesOfEach = 1;

  constructor(
    readonly predictions: Batch<Float32Array>,
    readonly targets: Batch,
    axis: number,
    readonly device: Device,
  ) {
    const { shape } = predictions;
    const at = axis < 0 ? axis + shape.length : axis;
    if (at === 0) fail('ERR_OPTION', 'options.axis', 'an axis behind the batch', axis);
    this.count = shape[0] as number;
    this.#rowShape = shape.filter((_, i) => i !== at);
  }

  /** The mean of what `each`, which does not reduce, gives for each sample; of some at a time. */
  means(each: Criterion): Float32Array {
    const { count, predictions, targets } = this;
    const means = new Float32Array(count);
    const isBatch = targets.shape[0] === count; // class ids may be of another shape
    const few = Math.max(1, Math.floor((mostAtOnce * count) / predictions.data.length));
    const step = isBatch ? few : count;
    try {
      for (let from = 0; from < count; from += step) {
        const to = Math.min(count, from + step);
        const some = isBatch ? part(targets, from, to) : targets;
        const losses = this.#losses(each, part(predictions, from, to), some);
        this.#lossesOfEach = losses.length / (to - from);
        addMeans(losses, this.#lossesOfEach, means.subarray(from, to));
      }
    } catch (error) {
      this.#losses(each, predictions, targets); // throws with the place in the whole
      throw error;
    }
    return means;
  }

  #losses(each: Criterion, { data, shape }: Batch, targets: Batch): Float32Array {
    const { device } = this;
    return scope(() =>
      each.forward(tensor(data, shape, { device }), targets).dataSync(),
    ) as Float32Array;
  }

  /**
   * The gradient of the means, times the upstream gradient of each, by `sum`; written in `into` on the
   * CPU.
   */
  slopes(sum: Criterion, upstream: Float32Array, into: Float32Array): Float32Array {
    const { predictions, targets, device } = this;
    const sampleWeight = this.#rowWeights(upstream);
    const given = device === 'cpu' ? { sampleWeight, outGrad: into } : { sampleWeight };
    return scope(() => {
      const inputs = tensor(predictions.data, predictions.shape, { device });
      return sum.valueAndGrad(inputs, targets, given).grad.dataSync();
    }) as Float32Array;
  }

  #rowWeights(upstream: Float32Array): ShapedData {
    const data = new Float64Array(sizeOf(this.#rowShape));
    const rows = data.length / this.count;
    for (let i = 0; i < this.count; i++) {
      data.fill((upstream[i] as number) / this.#lossesOfEach, i * rows, (i + 1) * rows);
    }
    return { data, shape: this.#rowShape };
  }
}

/** Some samples. */
function part<A extends Batch['data']>({ data, shape }: Batch<A>, from: number, to: number): Batch {
  const size = data.length / (shape[0] as number);
  return { data: data.subarray(from * size, to * size), shape: [to - from, ...shape.slice(1)] };
}

function addMeans(losses: Float32Array, length: number, means: Float32Array): void {
  for (let i = 0; i < means.length; i++) {
    let sum = 0;
    for (let j = i * length; j < (i + 1) * length; j++) sum += losses[j] as number;
    means[i] = sum / length;
  }
}
