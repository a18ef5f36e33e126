import type { DeviceMemory, Operand, Source } from '../binding';
import { checkDevice, cudaAt, type Device, type DeviceLike, deviceIndex } from './device';
import {
  allocate,
  bytesPerElement,
  type DataOf,
  type Dtype,
  dtypeCode,
  type HostData,
  holds,
  hostOperand,
  isHalf,
  lengthOf,
} from './dtype';
import { Description, errorOf, fail, failType, native, nativeAsync } from './errors';
import {
  checkSize,
  type ForeignOptions,
  type IpcOptions,
  readForeign,
  readShared,
} from './foreign';
import { unwatch, watch } from './leaks';
import { foreignData, isPinned, pinnedData } from './lent';
import { binding } from './native';
import { type NestedArray, nest } from './nested';
import { register } from './scope';
import { mostNested, sizeOf } from './shape';

/** The memory of a tensor, for the addon. Throws `ERR_DISPOSED` if there is none any more. */
export let operandOf: (tensor: Tensor, argument: string) => Operand;

/** Whether a value is a tensor, and not only an object with its prototype. */
export let isTensor: (value: unknown) => value is Tensor;

/** A tensor over memory on the host, which it aliases. */
export let fromHost: <D extends Dtype>(
  data: HostData,
  shape: readonly number[],
  dtype: D,
) => Tensor<D>;

/** A new tensor: zeros on the CPU; on a CUDA device memory as it comes, or a copy of `source`. */
export let empty: <D extends Dtype>(
  shape: readonly number[],
  dtype: D,
  device: Device,
  source?: Source,
) => Tensor<D>;

/** A tensor over memory of someone else. */
let foreign: <D extends Dtype>(
  address: bigint,
  shape: readonly number[],
  dtype: D,
  device: Device,
  release?: () => void,
) => Tensor<D>;

/** What a subclass does not have: memory is trusted by those who read it. */
const ours = Symbol('culoss');

/**
 * A dense, row-major array of one dtype on one device. Made by {@link tensor}, or by a loss.
 *
 * The memory of a tensor on a CUDA device is freed by `dispose()`, or by `using`; the garbage
 * collector does so late, if at all. On the CPU a tensor may alias the typed array it was made of.
 *
 * @example
 * ```js
 * import { tensor } from 'culoss';
 * const t = tensor([[1, 2, 3], [4, 5, 6]]);
 * console.log(t.shape, t.dtype, t.device, t.size, t.byteLength); // [ 2, 3 ] float32 cpu 6 24
 * console.log(t.dataSync()); // Float32Array(6) [ 1, 2, 3, 4, 5, 6 ]
 * ```
 */
export class Tensor<D extends Dtype = Dtype> {
  /** The lengths of the axes. */
  readonly shape: readonly number[];
  /** The type of the elements. */
  readonly dtype: D;
  /** `'cpu'`, or `'cuda:0'`, … */
  readonly device: Device;
  /** Elements. */
  readonly size: number;
  /** Of the elements. */
  readonly byteLength: number;
  #operand: Operand | null;
  /** Of memory on the host that V8 does not own: further calls do nothing. */
  #giveBack: (() => void) | undefined;

  static {
    isTensor = (value): value is Tensor =>
      typeof value === 'object' && value !== null && #operand in value;
    operandOf = (t, argument) => {
      if (t.#operand === null) {
        throw errorOf('ERR_DISPOSED', `${argument}: expected a tensor in use, got a disposed one`);
      }
      return t.#operand;
    };
    fromHost = (data, shape, dtype) =>
      new Tensor(ours, shape, dtype, 'cpu', hostOperand(data, dtype));
    empty = (shape, dtype, device, source) =>
      device === 'cpu'
        ? fromHost(allocate(dtype, sizeOf(shape)), shape, dtype)
        : onDevice(shape, dtype, device, source);
    const onDevice = <D extends Dtype>(
      shape: readonly number[],
      dtype: D,
      device: Device,
      ...source: [Source?, (() => void)?]
    ): Tensor<D> => {
      const size = sizeOf(shape);
      const [index, bytes] = [deviceIndex(device), size * bytesPerElement(dtype)];
      const memory = native(() => new binding.DeviceMemory(index, bytes, ...source));
      const operand = { memory, dtype: dtypeCode(dtype), size };
      const made = new Tensor(ours, shape, dtype, device, operand);
      watch(made);
      return made;
    };
    foreign = (address, shape, dtype, device, release) => {
      if (device !== 'cpu') {
        const released = release && (() => queueMicrotask(release)); // what it throws is its own
        return onDevice(shape, dtype, device, address, released);
      }
      const { data, giveBack } = foreignData(address, sizeOf(shape), dtype, release);
      const made = fromHost(data, shape, dtype);
      made.#giveBack = giveBack;
      return made;
    };
  }

  /**
   * A tensor over memory that someone else owns, at an address of the host or of a CUDA device; nothing
   * is copied. The memory must hold the elements, in row-major order, until `release` is called: once,
   * when the tensor was disposed, or collected, and nothing touches it any more; not when the thread
   * ends before. What that throws is an uncaught exception. What others enqueue with the memory is
   * theirs to order: with `Stream.address`, or by waiting. Views of it, as `dataSync()` gives them, end
   * with the tensor.
   *
   * On the host nothing can check that the memory is there and long enough: an address that is wrong
   * may end the process. `ERR_OPTION` is thrown for one that is 0, no bigint, or not aligned to the
   * dtype, `ERR_DEVICE` for one that CUDA does not know on that device, `ERR_SHAPE` for more than lies
   * behind it there; `ERR_DTYPE`, `ERR_CUDA_UNAVAILABLE`.
   *
   * @example
   * ```js
   * import { Tensor, tensor } from 'culoss';
   * const owner = tensor([[1, 2], [3, 4]]);
   * const same = Tensor.fromAddress(owner.address, [4]);
   * same.set(new Float32Array([5, 6, 7, 8]));
   * console.log(owner.arraySync()); // [ [ 5, 6 ], [ 7, 8 ] ]
   * ```
   */
  static fromAddress<D extends Dtype = 'float32'>(
    address: bigint,
    shape: readonly number[],
    options: ForeignOptions<D> = {},
  ): Tensor<D> {
    const read = readForeign(address, shape, options);
    return register(foreign(address, read.shape, read.dtype, read.device, read.release));
  }

  /**
   * A tensor over device memory of another process, by the handle that `ipcHandle()` of a tensor, or
   * `cudaIpcGetMemHandle`, gave there; `offset` is where it begins, in bytes. Nothing is copied.
   *
   * The process that allocated the memory must keep it until this tensor was disposed, or collected;
   * disposing it waits for the work that was enqueued with it. Nobody orders the work of two
   * processes: wait with `cuda.synchronize()` before the other one is told to go on.
   *
   * Throws `ERR_CUDA` for a handle that CUDA does not open, as in the process that it comes from;
   * `ERR_SHAPE` for more than the memory has; `ERR_OPTION`, `ERR_DTYPE`, `ERR_DEVICE`,
   * `ERR_CUDA_UNAVAILABLE`.
   */
  static fromIpcHandle<D extends Dtype = 'float32'>(
    handle: Uint8Array,
    shape: readonly number[],
    options: IpcOptions<D> = {},
  ): Tensor<D> {
    const read = readShared(handle, shape, options);
    return register(empty(read.shape, read.dtype, read.device, { handle, offset: read.offset }));
  }

  private constructor(
    key: typeof ours,
    shape: readonly number[],
    dtype: D,
    device: Device,
    operand: Operand,
  ) {
    if (key !== ours) failType('new Tensor', 'a call of tensor() instead', key);
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.device = device;
    this.size = operand.size;
    this.byteLength = operand.size * bytesPerElement(dtype);
    this.#operand = operand;
    Object.freeze(this);
  }

  /** The tensor on CUDA device `index`; itself if it is there already. */
  cuda(index = 0): Tensor<D> {
    return this.to(cudaAt(index));
  }

  /** The tensor on the CPU; itself if it is there already. Waits for the device. */
  cpu(): Tensor<D> {
    return this.to('cpu');
  }

  /**
   * The tensor on a device; itself if it is there already. To a CUDA device this waits for the bytes
   * alone, from one for its work.
   */
  to(device: DeviceLike): Tensor<D> {
    const { memory } = operandOf(this, 'tensor');
    const target = checkDevice(device, 'device');
    if (target === this.device) return this;
    if (target === 'cpu') return register(fromHost(this.dataSync(), this.shape, this.dtype));
    if (this.device === 'cpu') {
      return register(empty(this.shape, this.dtype, target, this.#whole(memory as HostData)));
    }
    const moved = empty(this.shape, this.dtype, target);
    const destination = operandOf(moved, 'tensor').memory as DeviceMemory;
    try {
      native(() => destination.write(memory));
    } catch (error) {
      moved.dispose();
      throw error;
    }
    return register(moved);
  }

  /**
   * Overwrites the elements with those of another tensor, or of a typed array, of the same dtype and
   * size; returns the tensor. Between tensors of one CUDA device the copy is enqueued, else this
   * waits.
   *
   * Throws `ERR_DTYPE`, `ERR_SHAPE`, `ERR_DISPOSED`.
   */
  set(source: Tensor | DataOf<D>): this {
    const { memory } = operandOf(this, 'tensor');
    const from = this.#checkSource(source);
    if (this.device === 'cpu') {
      const elements = isTensor(from) ? from.dataSync() : from;
      native(() => binding.copy(elements as HostData, this.#whole(memory as HostData)));
      return this;
    }
    const bytes = isTensor(from) ? operandOf(from, 'source').memory : from;
    if (bytes !== memory) native(() => (memory as DeviceMemory).write(bytes));
    return this;
  }

  #checkSource(source: unknown): Tensor | HostData {
    if (isTensor(source)) {
      operandOf(source, 'source');
      if (source.dtype !== this.dtype) {
        fail('ERR_DTYPE', 'source', `elements of ${this.dtype}`, source.dtype);
      }
      if (source.size !== this.size) {
        fail('ERR_SHAPE', 'source', `${this.size} elements`, new Description(`${source}`));
      }
      return source.device === 'cpu' ? (source.dataSync() as HostData) : source;
    }
    if (!ArrayBuffer.isView(source) || !holds(this.dtype, source)) {
      fail('ERR_DTYPE', 'source', `a tensor or a typed array of ${this.dtype}`, source);
    }
    if (lengthOf(source) !== this.size) {
      const actual = new Description(`${lengthOf(source)}`);
      fail('ERR_SHAPE', 'source', `${this.size} elements`, actual);
    }
    return source;
  }

  /**
   * The elements in row-major order, as `dataSync` gives them: on the CPU the tensor's own memory.
   * From a CUDA device they come beside the thread of JavaScript, as they are now: a copy on the
   * device, of as many bytes, is what later calls do not touch. The tensor may be disposed meanwhile.
   */
  async data(): Promise<DataOf<D>> {
    const { memory } = operandOf(this, 'tensor');
    if (this.device === 'cpu' || this.size === 0) return this.dataSync();
    const copy = allocate(this.dtype, this.size);
    await nativeAsync((done) => (memory as DeviceMemory).readAsync(copy, done));
    return copy as DataOf<D>;
  }

  /**
   * The elements in row-major order: on the CPU the tensor's own memory, from a CUDA device a copy,
   * for which this waits. The half types come as their 16 bits.
   */
  dataSync(): DataOf<D> {
    const { memory } = operandOf(this, 'tensor');
    if (this.device === 'cpu') return this.#whole(memory as HostData) as DataOf<D>;
    const copy = allocate(this.dtype, this.size);
    native(() => (memory as DeviceMemory).read(copy));
    return copy as DataOf<D>;
  }

  /** Memory of the user's, which may have been detached, shrunk or extended since. */
  #whole(memory: HostData): HostData {
    if (lengthOf(memory) < this.size) {
      const actual = new Description(`${lengthOf(memory)} (was its buffer detached or shrunk?)`);
      fail('ERR_SHAPE', 'tensor', `memory of ${this.size} elements`, actual);
    }
    return lengthOf(memory) > this.size ? (memory.subarray(0, this.size) as HostData) : memory;
  }

  /** The elements as nested arrays, as `arraySync` gives them, read as by `data`. */
  async array(): Promise<NestedArray> {
    if (this.device === 'cpu') return this.arraySync(); // as they are now
    this.#expectNestable();
    return nest(numbersOf(await this.data(), this.dtype), this.shape);
  }

  /** The elements as nested arrays of numbers; a number for a tensor of shape `[]`. */
  arraySync(): NestedArray {
    this.#expectNestable();
    return nest(numbersOf(this.dataSync(), this.dtype), this.shape);
  }

  #expectNestable(): void {
    if (this.size <= mostNested) return;
    const most = `at most ${mostNested} elements, or a call of data() instead`;
    fail('ERR_SHAPE', 'tensor.array', most, new Description(`${this.size}`));
  }

  /** The one element, as `item` gives it, read as by `data`. */
  async itemAsync(): Promise<number> {
    if (this.device === 'cpu') return this.item(); // as it is now
    this.#expectOne();
    return numbersOf(await this.data(), this.dtype)[0] as number;
  }

  /** The one element, as a number. Throws `ERR_SHAPE` if there are more, or none. */
  item(): number {
    this.#expectOne();
    return numbersOf(this.dataSync(), this.dtype)[0] as number;
  }

  #expectOne(): void {
    if (this.size === 1) return;
    fail('ERR_SHAPE', 'tensor.item', 'a tensor of one element', new Description(`${this}`));
  }

  /**
   * Where the elements are, for other addons: on the host, or on the device, where calls that were
   * enqueued may still be to come. 0n if there are none. It holds until the tensor is disposed.
   */
  get address(): bigint {
    const { memory } = operandOf(this, 'tensor');
    if (this.size === 0) return 0n;
    const there = this.device === 'cpu' ? this.#whole(memory as HostData) : memory;
    return native(() => binding.addressOf(there));
  }

  /**
   * What another process opens the memory by, with `Tensor.fromIpcHandle` or `cudaIpcOpenMemHandle`.
   * The tensor must be made with `shareable: true`, and kept until the others have let go of it.
   *
   * Throws `ERR_OPTION` for another tensor.
   */
  ipcHandle(): Uint8Array {
    const { memory } = operandOf(this, 'tensor');
    if (!shareable.has(this)) {
      const expected = 'a tensor that was made with shareable: true';
      fail('ERR_OPTION', 'tensor.ipcHandle', expected, new Description(`${this}`));
    }
    return native(() => (memory as DeviceMemory).ipcHandle());
  }

  /**
   * The elements in pinned memory of the host, as `pin_memory` of PyTorch gives them: a new tensor, or
   * itself if they are there. A CUDA device reads and writes such memory by itself, which makes
   * `cuda()` faster; there should not be too much of it, and `dispose()` gives it back.
   *
   * Throws `ERR_DEVICE` for a tensor on a device, `ERR_CUDA_UNAVAILABLE`, `ERR_OUT_OF_MEMORY`.
   */
  pinMemory(): Tensor<D> {
    const { memory } = operandOf(this, 'tensor');
    if (this.device !== 'cpu')
      fail('ERR_DEVICE', 'tensor', 'one on the CPU', new Description(`${this}`));
    checkDevice('cuda', 'tensor.pinMemory');
    if (isPinned(memory as HostData)) return this;
    const { data, giveBack } = pinnedData(this.size, this.dtype);
    native(() => binding.copy(this.#whole(memory as HostData), data));
    const made = fromHost(data, this.shape, this.dtype);
    made.#giveBack = giveBack;
    return register(made);
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#operand === null;
  }

  /** Frees device memory, and lets go of host memory. Further calls do nothing. */
  dispose(): void {
    if (this.#operand !== null && this.device !== 'cpu') {
      (this.#operand.memory as DeviceMemory).dispose();
      unwatch(this);
    }
    this.#operand = null;
    this.#giveBack?.();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Dtype, shape and device, in words. */
  toString(): string {
    return `Tensor ${this.dtype} [${this.shape.join(', ')}] on ${this.device}`;
  }
}

const shareable = new WeakSet<Tensor>();

/** A copy of a tensor in device memory that other processes can open. */
export function shareableOn<D extends Dtype>(device: Device, source: Tensor<D>): Tensor<D> {
  checkSize(source.size, source.dtype);
  const made = empty(source.shape, source.dtype, device, {});
  shareable.add(made);
  try {
    return made.set(source);
  } catch (error) {
    made.dispose();
    throw error;
  }
}

/** The elements as numbers, whatever the dtype. */
export function numbersOf(data: HostData, dtype: Dtype): ArrayLike<number> {
  if (dtype === 'int64') return Array.from(data as BigInt64Array, Number);
  if (!isHalf(dtype)) return data as ArrayLike<number>;
  const numbers = new Float64Array(data.length);
  native(() => binding.cast(hostOperand(data, dtype), hostOperand(numbers, 'float64')));
  return numbers;
}
