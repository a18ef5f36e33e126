import { checkDevice, cudaAt, type Device, deviceIndex } from './device';
import { checkWork } from './enqueue';
import { errorOf, failType, native } from './errors';
import { binding } from './native';
import { register } from './scope';

/** What only `cuda.graph` makes. */
const ours = Symbol('culoss');

/**
 * Calls that were captured, and run again with one launch. Made by `cuda.graph`.
 *
 * It keeps the memory of every tensor that its calls touch, also of those that are disposed. It
 * should be disposed, by `dispose()` or `using`.
 */
export class Graph<R = unknown> {
  /** What `work` returned: the tensors that each replay fills. */
  readonly result: R;
  /** `'cuda:0'`, … */
  readonly device: Device;
  #native: InstanceType<typeof binding.Graph> | null;

  /** @internal */
  constructor(key: typeof ours, device: Device, work: () => R) {
    if (key !== ours) failType('new Graph', 'a call of cuda.graph() instead', key);
    let result: R;
    this.device = device;
    this.#native = native(
      () =>
        new binding.Graph(deviceIndex(device), () => {
          result = work();
        }),
    );
    // biome-ignore lint/style/noNonNullAssertion: set by the capture
    this.result = result!;
    register(this);
  }

  /**
   * Enqueues the calls once more, in the current stream: on the tensors' memory as it is then.
   * Throws `ERR_DISPOSED`, `ERR_CUDA`.
   */
  replay(): void {
    if (this.#native === null) {
      throw errorOf('ERR_DISPOSED', 'graph: expected one in use, got a disposed one');
    }
    const graph = this.#native;
    native(() => graph.replay());
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#native === null;
  }

  /** Waits for its replays, and frees it. `result` can still be read, and has its own `dispose`. */
  dispose(): void {
    this.#native?.dispose();
    this.#native = null;
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Captures what `work` enqueues on CUDA device `index`. */
export function capture<R>(work: () => R, index: number): Graph<R> {
  const checked = checkWork(work, 'work');
  return new Graph(ours, checkDevice(cudaAt(index), 'index'), checked);
}
