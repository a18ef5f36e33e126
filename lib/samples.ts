// Losses by sample, as TensorFlow.js takes them.
import { type ShapedData, tensor } from './convert';
import type { Device } from './device';
import { fail, native } from './errors';
import { type Axes, axesOf } from './losses/axes';
import type { Criterion } from './losses/criterion';
import { binding } from './native';
import { scope } from './scope';

/** Typed arrays with a shape, of which the first axis is the batch. */
export interface Batch<A = Float32Array | Int32Array | Uint8Array> {
  data: A;
  shape: readonly number[];
}

/** Elements whose losses are computed at once: so many stay in a cache. */
const mostAtOnce = 2 ** 18;

/** How predictions are made of samples, along their first axis. */
export class Samples {
  readonly count: number;
  readonly #axes: Axes;
  /** Whose mean the loss of a sample is. */
  #lossesOfEach = 1;

  constructor(
    shape: readonly number[],
    axis: number,
    readonly device: Device,
  ) {
    this.#axes = axesOf(shape, axis);
    if (axis === 0 || axis === -shape.length) {
      fail('ERR_OPTION', 'options.axis', 'an axis behind the batch', axis);
    }
    this.count = shape[0] as number;
  }

  /** The class ids that dense targets say, if each row is one class: a fraction of the work. */
  idsOf({ data }: Batch): Batch<Int32Array> | undefined {
    const { rows, columns, inner, rowShape } = this.#axes;
    if (inner !== 1 || columns === 1 || rows === 0) return undefined;
    const ids = new Int32Array(rows);
    const areIds = native(() => binding.idsOfOneHot(data, ids));
    return areIds ? { data: ids, shape: rowShape } : undefined;
  }

  /** The mean of what `each`, which does not reduce, gives for each sample; of some at a time. */
  means(each: Criterion, predictions: Batch<Float32Array>, targets: Batch): Float32Array {
    const { count } = this;
    const means = new Float32Array(count);
    if (count === 0) this.#losses(each, predictions, targets); // for its errors
    const isBatch = targets.shape[0] === count; // class ids may be of another shape
    const few = Math.max(1, Math.floor((mostAtOnce * count) / predictions.data.length));
    const step = isBatch ? few : count;
    let losses: Float32Array | undefined; // new memory would take longer than the losses
    try {
      for (let from = 0; from < count; from += step) {
        const to = Math.min(count, from + step);
        const some = isBatch ? part(targets, from, to) : targets;
        const out = to - from === step ? losses : undefined;
        losses = this.#losses(each, part(predictions, from, to), some, out);
        this.#lossesOfEach = losses.length / (to - from);
        const found = losses;
        native(() => binding.meansOfRows(found, means.subarray(from, to)));
      }
    } catch (error) {
      this.#losses(each, predictions, targets); // throws with the place in the whole
      throw error;
    }
    return means;
  }

  #losses(
    each: Criterion,
    { data, shape }: Batch,
    targets: Batch,
    out?: Float32Array,
  ): Float32Array {
    const { device } = this;
    const given = device === 'cpu' && out ? { out } : {};
    return scope(() =>
      each.forward(tensor(data, shape, { device }), targets, given).dataSync(),
    ) as Float32Array;
  }

  /**
   * The gradient of the means, times the upstream gradient of each, by `sum`; written in `into` on the
   * CPU.
   */
  slopes(
    sum: Criterion,
    { data, shape }: Batch<Float32Array>,
    targets: Batch,
    upstream: Float32Array,
    into: Float32Array,
  ): Float32Array {
    const { device } = this;
    const [first = 0] = upstream;
    const factor = first / this.#lossesOfEach;
    // As that of a mean is. What counts 0 is for the weights, which do not look at it.
    const isUniform = Number.isFinite(Math.fround(factor)) && factor !== 0;
    const scaled =
      isUniform && upstream.every((each) => each === first)
        ? { gradOutput: factor }
        : { sampleWeight: this.#rowWeights(upstream) };
    const given = device === 'cpu' ? { ...scaled, outGrad: into } : scaled;
    return scope(() =>
      sum.valueAndGrad(tensor(data, shape, { device }), targets, given).grad.dataSync(),
    ) as Float32Array;
  }

  #rowWeights(upstream: Float32Array): ShapedData {
    const { rows: all, rowShape } = this.#axes;
    const data = new Float64Array(all);
    const rows = all / this.count;
    for (let i = 0; i < this.count; i++) {
      data.fill((upstream[i] as number) / this.#lossesOfEach, i * rows, (i + 1) * rows);
    }
    return { data, shape: rowShape };
  }
}

/** Some samples. */
function part<A extends Batch['data']>(
  { data, shape }: Batch<A>,
  from: number,
  to: number,
): Batch<A> {
  const size = data.length / (shape[0] as number);
  const some = data.subarray(from * size, to * size) as A;
  return { data: some, shape: [to - from, ...shape.slice(1)] };
}
