import { checkDevice, cudaAt, type Device, deviceIndex } from './device';
import { checkWork } from './enqueue';
import { errorOf, native, nativeAsync } from './errors';
import { binding } from './native';
import { register } from './scope';

/**
 * A stream of a CUDA device: what runs in it may overlap with what runs in others. Each call waits,
 * on the device, for whatever touched its tensors before, in any stream: no events are needed, and
 * nothing has to be waited for on the host. Reads wait for all streams of the thread.
 *
 * A stream belongs to the thread that made it. It should be disposed, by `dispose()` or `using`.
 *
 * Throws `ERR_DEVICE`, `ERR_CUDA_UNAVAILABLE`, `ERR_CUDA`, `ERR_OUT_OF_MEMORY`; `ERR_DISPOSED` after
 * `dispose()`.
 *
 * @example
 * ```js
 * import { BinaryFocalLoss, cuda, Stream, tensor } from 'culoss';
 * if (cuda.isAvailable()) {
 *   const stream = new Stream();
 *   const p = tensor([[0.25, 0.75]]).cuda();
 *   const loss = stream.run(() => new BinaryFocalLoss().forward(p, [1]));
 *   loss.item(); // waits for the stream, as for any other
 *   await stream.synchronize();
 *   stream.dispose();
 * }
 * ```
 */
export class Stream {
  /** `'cuda:0'`, … */
  readonly device: Device;
  #native: InstanceType<typeof binding.Stream> | null;

  /** A new stream of CUDA device `index`. */
  constructor(index = 0) {
    this.device = checkDevice(cudaAt(index), 'index');
    this.#native = native(() => new binding.Stream(deviceIndex(this.device)));
    register(this);
  }

  /**
   * Calls `work`, and returns what it returns. What it enqueues on the stream's device goes to the
   * stream; other devices have theirs. Runs can be nested.
   *
   * Throws what `work` throws, `ERR_OPTION` if that gives a promise, whose later work would go
   * elsewhere, and `ERR_CUDA` within `cuda.graph`.
   */
  run<R>(work: () => R): R {
    const checked = checkWork(work, 'work');
    return native(() => this.#usable().run(checked) as R);
  }

  /**
   * Calls `work` as `run` does, and returns how long the device took for it, in milliseconds; what
   * was enqueued before is no part of that. Waits for the stream, and throws what its work deferred.
   */
  time(work: () => unknown): number {
    const checked = checkWork(work, 'work');
    return native(() => this.#usable().time(checked));
  }

  /**
   * Waits, beside the thread of JavaScript, for the work of the stream so far; rejects with what that
   * deferred.
   */
  async synchronize(): Promise<void> {
    await nativeAsync((done) => this.#usable().synchronize(done));
  }

  /** The `cudaStream_t`, for other addons. What they enqueue in it is theirs to order. */
  get address(): bigint {
    return native(() => this.#usable().address());
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#native === null;
  }

  /** Waits for its work, and frees it. What that deferred is thrown at the next read. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = null;
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #usable(): InstanceType<typeof binding.Stream> {
    if (this.#native === null) {
      throw errorOf('ERR_DISPOSED', 'stream: expected one in use, got a disposed one');
    }
    return this.#native;
  }
}
