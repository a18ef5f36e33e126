// The clock of the device and copies on it: what lies below the public interface.
import { createRequire } from 'node:module';
import type { FloatDtype, Tensor } from 'culoss';
import * as culoss from 'culoss';
import type { DeviceMemory } from '../../binding.js';

const require = createRequire(import.meta.url);
const tensors = require('../../../dist/tensor.js') as typeof import('../../lib/tensor.js');
const { binding } = require('../../../dist/native.js') as typeof import('../../lib/native.js');

export const device = 'cuda:0';

/** A simulated device, for tests of this program: it has no speed. */
export const isEmulated = (card: string): boolean => card === 'emulated device';

export interface Clock {
  /** Milliseconds between two CUDA events around what `enqueue` enqueues, which this waits for. */
  time(enqueue: () => void): number;
}

/** Waits for the device. */
export const wait = (): void => binding.cudaSynchronize(0);

export function clock(): Clock {
  const { Stream } = culoss as { Stream?: new (index: number) => Clock };
  if (Stream !== undefined) return new Stream(0);
  if (!isEmulated(culoss.cuda.device().name)) {
    throw new Error('this build of culoss has no streams, whose events measure the time');
  }
  return {
    time(enqueue) {
      const started = performance.now();
      enqueue();
      wait();
      return performance.now() - started;
    },
  };
}

/** A tensor on the device whose elements are whatever was there. */
export function empty<D extends FloatDtype | 'int32'>(
  shape: readonly number[],
  dtype: D,
): Tensor<D> {
  return tensors.empty(shape, dtype, device);
}

/** Enqueues a copy of all elements, from device memory to device memory. */
export function copy(from: Tensor, to: Tensor): void {
  const memoryOf = (tensor: Tensor) => tensors.operandOf(tensor, 'tensor').memory as DeviceMemory;
  memoryOf(to).write(memoryOf(from));
}

/** Bytes in use on the device now, and at most since `reset`; null where culoss does not count. */
export function memoryInUse(): { allocated: number; peak: number } | null {
  const { memory } = culoss.cuda as { memory?: () => { allocated: number; peak: number } };
  return memory?.() ?? null;
}
