import { checkDevice, cudaAt, deviceIndex } from './device';
import { type ErrorCode, fail, failType, native, nativeAsync } from './errors';
import { capture, type Graph } from './graph';
import { binding } from './native';

/** Why CUDA cannot be used. */
export interface UnavailableReason {
  /** That of the error which asking for CUDA throws. */
  code: ErrorCode;
  /** Why. */
  message: string;
  /** What would help. */
  hint: string;
}

/** Facts about one CUDA device. */
export interface CudaDevice {
  /** As the driver has it. */
  name: string;
  /** Such as `9.0`. */
  computeCapability: string;
  /** In bytes. */
  totalMemory: number;
}

/** What culoss has of the memory of one CUDA device, in bytes. */
export interface CudaMemory {
  /** For tensors, but for shareable ones, for workspaces and streams. */
  allocated: number;
  /** Taken from the device for it, which others cannot have. */
  reserved: number;
  /** The most that was allocated at once. */
  peak: number;
  /** What `setMemoryLimit` said, or null. */
  limit: number | null;
  /** Tensors of this thread that nobody disposed: the garbage collector came to them. */
  leaks: number;
}

/**
 * The CUDA engine. Asking for a device where there is none is an error, never a silent fallback.
 *
 * @example
 * ```js
 * import { cuda } from 'culoss';
 * console.log(cuda.isAvailable() === (cuda.unavailableReason === null)); // true
 * ```
 */
export const cuda = {
  /** Whether a CUDA device can be used. */
  isAvailable(): boolean {
    return binding.cudaUnavailableReason() === null;
  },
  /** Why not; null where one can be used. */
  get unavailableReason(): UnavailableReason | null {
    return binding.cudaUnavailableReason() as UnavailableReason | null;
  },
  /** How many devices there are. */
  deviceCount(): number {
    return binding.cudaDeviceCount();
  },
  /** Facts about device `index`. Throws `ERR_CUDA_UNAVAILABLE` or `ERR_DEVICE`. */
  device(index = 0): CudaDevice {
    checkDevice(cudaAt(index), 'index');
    const { name, major, minor, totalMemory } = native(() => binding.cudaProperties(index));
    return { name, computeCapability: `${major}.${minor}`, totalMemory };
  },
  /**
   * What culoss has of the memory of device `index`, in bytes. Waits for nothing: what was freed
   * may count until the device has come to it; `synchronize` first for exact figures.
   *
   * Throws `ERR_CUDA_UNAVAILABLE`, `ERR_DEVICE` or `ERR_CUDA`.
   *
   * @example
   * ```js
   * import { BinaryFocalLoss, cuda, tensor } from 'culoss';
   * if (cuda.isAvailable()) {
   *   const p = tensor([[0.25, 0.75]]).cuda();
   *   const outGrad = tensor([[0, 0]]).cuda();
   *   await cuda.synchronize();
   *   cuda.resetPeakMemory();
   *   const before = cuda.memory().allocated;
   *   const { loss } = new BinaryFocalLoss().valueAndGrad(p, [1], { outGrad });
   *   await cuda.synchronize();
   *   console.assert(cuda.memory().peak > before); // the loss, the class id, a sum of each block
   *   for (const used of [p, outGrad, loss]) used.dispose();
   *   cuda.emptyCache(); // for the other libraries of the process
   * }
   * ```
   */
  memory(index = 0): CudaMemory {
    const device = checkDevice(cudaAt(index), 'index');
    return native(() => binding.cudaMemory(deviceIndex(device)));
  },
  /** Starts `memory(index).peak` again, at what is allocated now. Throws what `memory` throws. */
  resetPeakMemory(index = 0): void {
    const device = checkDevice(cudaAt(index), 'index');
    native(() => binding.cudaResetPeakMemory(deviceIndex(device)));
  },
  /**
   * Lets tensors have no more than so many bytes of device `index` at once, in all threads of the
   * process, and keeps no more than that reserved; `null` lifts the limit. What is beyond it is
   * `ERR_OUT_OF_MEMORY`, after a wait for the device, of this thread too, if that has to free some.
   * What a call or a stream needs for itself counts, but is not refused; shareable tensors do not count.
   *
   * Throws `ERR_OPTION`, and what `memory` throws.
   *
   * @example
   * ```js
   * import { cuda } from 'culoss';
   * if (cuda.isAvailable()) {
   *   cuda.setMemoryLimit(4 * 2 ** 30);
   *   console.assert(cuda.memory().limit === 4 * 2 ** 30);
   *   cuda.setMemoryLimit(null);
   * }
   * ```
   */
  setMemoryLimit(bytes: number | null, index = 0): void {
    const expected = 'a whole number of bytes, or null';
    if (bytes !== null && typeof bytes !== 'number') failType('bytes', expected, bytes);
    if (bytes !== null && !(Number.isSafeInteger(bytes) && bytes >= 0)) {
      fail('ERR_OPTION', 'bytes', expected, bytes);
    }
    const device = checkDevice(cudaAt(index), 'index');
    native(() => binding.cudaLimitMemory(deviceIndex(device), bytes));
  },
  /**
   * Gives the memory of device `index` that is reserved and not allocated back, for others to have.
   * Nothing else needs this: culoss takes from it what it allocates next. Waits for nothing: what was
   * freed goes only if the host has seen that the device came to it; `synchronize` first for all.
   *
   * Throws what `memory` throws.
   */
  emptyCache(index = 0): void {
    const device = checkDevice(cudaAt(index), 'index');
    native(() => binding.cudaEmptyCache(deviceIndex(device)));
  },
  /**
   * Waits, beside the thread of JavaScript, for all work of this thread on device `index` so far;
   * rejects with what that deferred.
   */
  async synchronize(index = 0): Promise<void> {
    const device = checkDevice(cudaAt(index), 'index');
    await nativeAsync((done) => binding.cudaSynchronize(deviceIndex(device), done));
  },
  /**
   * Captures the calls that `work` makes on CUDA device `index`, without running them, as
   * `torch.cuda.graph` does; each `replay()` of the graph then runs them all with one launch.
   *
   * Tensors that `work` makes, workspaces, and copies of plain arrays are made once, with the
   * capture, and kept. A replay reads the tensors as they are then, and fills those of `result`; the
   * numbers and plain arrays among the arguments stay what they were. A bad class id is thrown at
   * the next read.
   *
   * Throws what `work` throws, and then keeps nothing: `ERR_CUDA` for what waits (reads of a
   * device, `synchronize`, `validate: 'eager'`) or belongs to another stream, device or graph;
   * `ERR_DEVICE` for a call on another device, the CPU too; `ERR_OPTION` if `work` gives a promise.
   *
   * @example
   * ```js
   * import { BinaryFocalLoss, cuda, tensor } from 'culoss';
   * if (cuda.isAvailable()) {
   *   const criterion = new BinaryFocalLoss();
   *   const p = tensor([[0.25, 0.75]]).cuda();
   *   const y = tensor(new Int32Array([1]), [1]).cuda();
   *   const graph = cuda.graph(() => criterion.valueAndGrad(p, y));
   *   graph.replay(); // one launch
   *   graph.result.loss.item();
   *   graph.dispose();
   * }
   * ```
   */
  graph<R>(work: () => R, index = 0): Graph<R> {
    return capture(work, index);
  },
};
