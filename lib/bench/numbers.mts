// Inputs and targets, the same for culoss and for its peers: a tile of random numbers that both
// repeat until the tensor is full. Made once, because random numbers take longer than the losses.
import { type FloatDtype, tensor } from '../index.mjs';
import type { Workload } from './workloads.mjs';

/** Odd, and no multiple of a row, so that rows differ. */
const tileLength = 1_000_003;

type Bits = Float32Array | Float64Array | Uint16Array;

export interface Tiles {
  inputs: Bits;
  ids: Int32Array;
}

const made = new Map<string, Bits>();

/** Those of a workload. Inputs are kept for the next one. */
export function tilesOf({ from, dtype, shape }: Workload): Tiles {
  const key = `${from} ${dtype}`;
  const inputs = made.get(key) ?? tileOfInputs(from, dtype);
  made.set(key, inputs);
  return { inputs, ids: tileOfIds(shape[1] as number) };
}

/** Uniform in (0, 1), and the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (((bits ^ (bits >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/**
 * Logits as a model gives them, within ±6; probabilities are their sigmoid. No clamp of any library
 * acts on these, so that all compute the same function.
 */
function tileOfInputs(from: Workload['from'], dtype: FloatDtype): Bits {
  const next = random(1);
  const numbers = Float64Array.from({ length: tileLength }, () => {
    const normal = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
    const logit = Math.max(-6, Math.min(6, 2 * normal));
    return from === 'logits' ? logit : 1 / (1 + Math.exp(-logit));
  });
  if (dtype === 'float64') return numbers;
  return tensor(Array.from(numbers), [tileLength], { dtype }).dataSync();
}

/** Class ids in [0, columns). */
function tileOfIds(columns: number): Int32Array {
  const next = random(2);
  return Int32Array.from({ length: tileLength }, () => Math.floor(columns * next()));
}

/** Writes `tile` over and over until `whole` is full. */
export function repeat<A extends Bits | Int32Array>(tile: A, whole: A): A {
  for (let at = 0; at < whole.length; at += tile.length) {
    whole.set(tile.subarray(0, whole.length - at) as never, at);
  }
  return whole;
}

const one = { float32: 1, float64: 1, float16: 0x3c00, bfloat16: 0x3f80 };

/** (rows, columns): 1 where the class id says so, else 0. */
export function oneHot(ids: Int32Array, columns: number, dtype: FloatDtype): Bits {
  const dense = arrayOf(dtype, ids.length * columns);
  for (let row = 0; row < ids.length; row++) {
    dense[row * columns + (ids[row] as number)] = one[dtype];
  }
  return dense;
}

/** Zeros, as the typed array that holds a dtype. */
export function arrayOf(dtype: FloatDtype, length: number): Bits {
  if (dtype === 'float32') return new Float32Array(length);
  return dtype === 'float64' ? new Float64Array(length) : new Uint16Array(length);
}
