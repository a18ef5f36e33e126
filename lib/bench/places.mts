// Where losses are measured: on a CUDA device, or on the CPU.
import { readFileSync, writeFileSync } from 'node:fs';
import { cuda, type Device, Stream } from '../index.mjs';

/** Milliseconds that a place works on what a function asks for. */
export interface Clock extends Disposable {
  time(work: () => void): number;
}

export interface Place {
  device: Device;
  /** Bytes that no cache of it holds. */
  moreThanCaches: number;
  /** As many tensors of each kind as take those bytes, but no more. */
  mostSets: number;
  /** As many as take long enough to be timed, and no more than it takes without a wait. */
  callsAtOnce: number;
  clock(): Clock;
  wait(): Promise<void>;
  /** The most bytes that a call has for itself at once, beyond what was there before it; null: not known. */
  memoryOf(call: () => void): Promise<number | null>;
}

export const onGpu: Place = {
  device: 'cuda:0',
  moreThanCaches: 512 * 2 ** 20,
  mostSets: 32,
  callsAtOnce: 50, // fewer launches than the queue of the driver holds, which would wait
  clock: () => new Stream(),
  wait: () => cuda.synchronize(),
  async memoryOf(call) {
    await cuda.synchronize();
    cuda.resetPeakMemory();
    const { allocated } = cuda.memory();
    call();
    await cuda.synchronize();
    return cuda.memory().peak - allocated;
  },
};

export const onCpu: Place = {
  device: 'cpu',
  moreThanCaches: 256 * 2 ** 20,
  mostSets: 8,
  callsAtOnce: 1000,
  clock: () => ({
    time(work) {
      const started = performance.now();
      work();
      return performance.now() - started;
    },
    [Symbol.dispose]() {},
  }),
  async wait() {},
  async memoryOf(call) {
    const resident = (name: 'VmRSS' | 'VmHWM'): number => {
      const status = readFileSync('/proc/self/status', 'utf8');
      return 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
    };
    try {
      writeFileSync('/proc/self/clear_refs', '5'); // Linux: forgets the peak
    } catch {
      return null; // not every container has it
    }
    const before = resident('VmRSS');
    call();
    return Math.max(0, resident('VmHWM') - before);
  },
};
