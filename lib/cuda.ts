import { checkDevice, cudaAt, deviceIndex } from './device';
import { type ErrorCode, native } from './errors';
import { capture, type Graph } from './graph';
import { binding } from './native';

/** Why CUDA cannot be used, and what would help. */
export interface UnavailableReason {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** Facts about one CUDA device. `totalMemory` is in bytes. */
export interface CudaDevice {
  name: string;
  computeCapability: string;
  totalMemory: number;
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
  /** Waits for all work of this thread on device `index`; rejects with what that deferred. */
  async synchronize(index = 0): Promise<void> {
    const device = checkDevice(cudaAt(index), 'index');
    native(() => binding.cudaSynchronize(deviceIndex(device)));
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
