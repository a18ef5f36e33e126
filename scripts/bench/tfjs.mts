// TensorFlow.js as a peer: the same losses of its ops, on its cpu and wasm backends.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { type Effort, inPairs } from '#bench/measure.mjs';
import { repeat, type Tiles } from '#bench/numbers.mjs';
import { onCpu } from '#bench/places.mjs';
import { median } from '#bench/statistics.mjs';
import { alpha, elementsOf, gamma, rowsOf, type Workload } from '#bench/workloads.mjs';
import type { PeerRow } from './results.mjs';

export const backends = ['cpu', 'wasm'] as const;
export type Backend = (typeof backends)[number];
export const tfjsVersion = tf.version.tfjs;

export type Loss = (inputs: tf.Tensor2D, targets: tf.Tensor2D) => tf.Tensor;

/** Written as one writes it: stable where that is usual, and with no more ops than needed. */
export function lossOf({ loss, from }: Workload): Loss {
  const fromLogits = from === 'logits';
  if (loss.startsWith('Binary')) {
    return (x, y) => {
      const p = fromLogits ? x.sigmoid() : x;
      const q = tf.sub(1, p);
      if (loss === 'BinaryCrossEntropy') {
        return y.mul(p.log()).add(tf.sub(1, y).mul(q.log())).mean().neg();
      }
      const positive = y.mul(alpha).mul(q.pow(gamma)).mul(p.log());
      const negative = tf
        .sub(1, y)
        .mul(1 - alpha)
        .mul(p.pow(gamma))
        .mul(q.log());
      return positive.add(negative).mean().neg();
    };
  }
  return (x, y) => {
    const logP = (fromLogits ? x.logSoftmax() : x.log()) as tf.Tensor2D;
    const own = y.mul(logP).sum(1);
    if (loss === 'NegativeLogLoss') return own.mean().neg();
    return tf.sub(1, own.exp()).pow(gamma).mul(own).mean().neg();
  };
}

/** Inputs, and targets as one-hot, as most of its losses take them. */
export function tensorsOf(
  workload: Workload,
  tiles: Tiles,
): { numbers: Float32Array; inputs: tf.Tensor2D; targets: tf.Tensor2D } {
  const shape = workload.shape as [number, number];
  const numbers = repeat(tiles.inputs, new Float32Array(elementsOf(workload))) as Float32Array;
  const ids = repeat(tiles.ids, new Int32Array(rowsOf(workload)));
  const inputs = tf.tensor2d(numbers, shape);
  const targets = tf.oneHot(tf.tensor1d(ids, 'int32'), shape[1]).toFloat() as tf.Tensor2D;
  return { numbers, inputs, targets };
}

/** Why a workload is none for TensorFlow.js; null if it is one. */
function whyNot(workload: Workload): string | null {
  if (workload.dtype !== 'float32') return 'has float32 only';
  return workload.shape.length === 2 ? null : 'rows only';
}

/** Milliseconds of value and gradient on one backend. */
export async function measureTfjs(
  workload: Workload,
  tiles: Tiles,
  { backend, effort }: { backend: Backend; effort: Effort },
): Promise<PeerRow> {
  const peer = `TensorFlow.js ${backend}`;
  const missing = whyNot(workload);
  if (missing !== null) return { peer, missing };
  await tf.setBackend(backend);
  try {
    return { peer, ...timesOf(workload, tiles, effort) };
  } catch (error) {
    return { peer, missing: (error as Error).message.split('\n')[0] ?? 'failed' };
  }
}

function timesOf(workload: Workload, tiles: Tiles, effort: Effort) {
  tf.engine().startScope();
  try {
    const { numbers, inputs, targets } = tensorsOf(workload, tiles);
    const loss = lossOf(workload);
    const step = tf.valueAndGrad((x) => loss(x as tf.Tensor2D, targets) as tf.Scalar);
    const call = (): number => {
      const { value, grad } = step(inputs);
      grad.dataSync();
      const loss = value.dataSync()[0] as number;
      tf.dispose([value, grad]);
      return loss;
    };
    const copy = new Float32Array(numbers.length);
    const value = call(); // the first one is slower
    using clock = onCpu.clock();
    const [times, copies] = inPairs(
      () => clock.time(call),
      () => clock.time(() => copy.set(numbers)),
      effort,
    );
    return {
      milliseconds: median(times),
      copyMilliseconds: median(copies),
      memoryBytes: null,
      value,
      isSame: true,
    };
  } finally {
    tf.engine().endScope();
  }
}
