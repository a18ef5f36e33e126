import type { DeviceMemory, Operand } from '../binding';
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
import { unwatch, watch } from './leaks';
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
  source?: HostData,
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
  readonly shape: readonly number[];
  readonly dtype: D;
  /** `'cpu'`, or `'cuda:0'`, … */
  readonly device: Device;
  /** Elements. */
  readonly size: number;
  readonly byteLength: number;
  #operand: Operand | null;

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
    empty = (shape, dtype, device, source) => {
      const size = sizeOf(shape);
      if (device === 'cpu') return fromHost(allocate(dtype, size), shape, dtype);
      const bytes = size * bytesPerElement(dtype);
      const memory = native(() => new binding.DeviceMemory(deviceIndex(device), bytes, source));
      const operand = { memory, dtype: dtypeCode(dtype), size };
      const made = new Tensor(ours, shape, dtype, device, operand);
      watch(made);
      return made;
    };
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
   * The elements in row-major order, as `dataSync` gives them. From a CUDA device they come beside
   * the thread of JavaScript, as they are now: a copy on the device, of as many bytes, is what later
   * calls do not touch. The tensor may be disposed meanwhile.
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
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `Tensor ${this.dtype} [${this.shape.join(', ')}] on ${this.device}`;
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
