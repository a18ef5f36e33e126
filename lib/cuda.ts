import { checkDevice, cudaAt, deviceIndex } from './device';
import { type ErrorCode, native } from './errors';
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
  /** Waits for all work on device `index`; rejects with what that work deferred. */
  async synchronize(index = 0): Promise<void> {
    const device = checkDevice(cudaAt(index), 'index');
    native(() => binding.cudaSynchronize(deviceIndex(device)));
  },
};
