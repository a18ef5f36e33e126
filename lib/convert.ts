import { checkDevice, type DeviceLike } from './device';
import {
  allocate,
  checkDtype,
  type Dtype,
  dtypeOfArray,
  float16Bits,
  holds,
  hostOperand,
  isFloat,
  isHalf,
  lengthOf,
} from './dtype';
import { Description, fail, failType, native } from './errors';
import { checkCuda } from './foreign';
import { binding } from './native';
import { flatten, type NestedArray, shapeOf } from './nested';
import { register } from './scope';
import { checkShape } from './shape';
import { fromHost, isTensor, shareableOn, type Tensor } from './tensor';
import { checkOptions } from './validate';

/** Typed arrays and their shape under either name: an onnxruntime tensor is one. */
export type ShapedData = {
  /** The elements in row-major order. */
  data: ArrayBufferView | readonly number[];
  /** Default: that of a typed array. */
  dtype?: Dtype;
  /** The same, as onnxruntime names it. */
  type?: string;
} & (
  | {
      /** The lengths of the axes. */
      shape: readonly number[];
    }
  | {
      /** The same, as onnxruntime names them. */
      dims: readonly number[];
    }
);

/** Whatever an argument that takes a tensor takes. */
export type TensorLike = Tensor | NestedArray<number | bigint> | ArrayBufferView | ShapedData;

/** The dtype that a tensor has by itself. */
export type DtypeOf<V> = V extends Float32Array | NestedArray<number | bigint>
  ? 'float32'
  : V extends Float64Array
    ? 'float64'
    : V extends Int32Array
      ? 'int32'
      : V extends BigInt64Array
        ? 'int64'
        : V extends Uint8Array
          ? 'uint8'
          : Dtype;

/** What a tensor is made as. */
export interface TensorOptions<D extends Dtype = Dtype> {
  /** Default: that of a typed array; `'float32'` for numbers. */
  dtype?: D;
  /** Default: `'cpu'`. */
  device?: DeviceLike;
  /**
   * Whether other processes can open the memory, by `ipcHandle()`. It is of a CUDA device, beside the
   * pool: `cuda.memory()` does not count it, and `dispose()` waits for the device. Default: false.
   */
  shareable?: boolean;
}

/**
 * Makes a tensor.
 *
 * `data`: nested arrays, from which the shape follows; a flat array or a typed array, with a shape
 * beside it; or `{ data, shape | dims }`. On the CPU a typed array of the right dtype is aliased,
 * never copied: what changes in one changes in the other.
 *
 * Typed arrays: Float32Array, Float64Array, Int32Array, BigInt64Array (`int64`), Uint8Array;
 * Float16Array where the runtime has it; a Uint16Array with `dtype: 'float16'` or `'bfloat16'` holds
 * the bits of that type.
 *
 * Throws `ERR_SHAPE` for ragged arrays or a shape that does not fit, `ERR_DTYPE` for elements that
 * are no numbers, or no integers that an integer dtype can hold, `ERR_DEVICE` and `ERR_CUDA_UNAVAILABLE`.
 *
 * @example
 * ```js
 * import { tensor } from 'culoss';
 * console.log(tensor([[0.5, 0.25]], undefined, { dtype: 'bfloat16' }).arraySync()); // [ [ 0.5, 0.25 ] ]
 * console.log(tensor(new Int32Array([1, 0, 2]), [3, 1]).shape); // [ 3, 1 ]
 * ```
 */
export function tensor<const V extends TensorLike, D extends Dtype = DtypeOf<V>>(
  data: V,
  shape?: readonly number[],
  options: TensorOptions<D> = {},
): Tensor<D> {
  checkOptions(options, ['dtype', 'device', 'shareable']);
  const { dtype, device = 'cpu', shareable = false } = options;
  if (dtype !== undefined) checkDtype(dtype, 'options.dtype');
  const target = checkDevice(device, 'options.device');
  if (typeof shareable !== 'boolean') failType('options.shareable', 'true or false', shareable);
  if (shareable) checkCuda(target);
  const read = toTensor(data, 'data', { shape, dtype });
  const made = shareable ? shareableOn(target, read) : read.to(target);
  return register(made) as Tensor as Tensor<D>;
}

/** Reads an argument that takes a tensor. What is not one yet becomes one on the CPU. */
export function asTensor(value: TensorLike, argument: string, dtypeOfNumbers: Dtype): Tensor {
  return isTensor(value) ? value : toTensor(value, argument, { dtypeOfNumbers });
}

interface Wanted {
  shape?: readonly number[];
  dtype?: Dtype;
  dtypeOfNumbers?: Dtype;
}

function toTensor(value: unknown, argument: string, wanted: Wanted): Tensor {
  if (isTensor(value)) {
    fail('ERR_DTYPE', argument, 'numbers or a typed array', new Description(`${value}`));
  }
  if (ArrayBuffer.isView(value)) return fromView(value, argument, wanted);
  if (typeof value === 'number' || typeof value === 'bigint' || Array.isArray(value)) {
    return fromNumbers(value, argument, wanted);
  }
  if (typeof value === 'object' && value !== null) {
    const { data, shape, dims, dtype, type } = value as Partial<
      Record<'data' | 'dtype' | 'type', unknown> & Record<'shape' | 'dims', readonly number[]>
    >;
    const given = wanted.dtype ?? dtype ?? type;
    const inner = {
      ...wanted,
      shape: wanted.shape ?? shape ?? dims,
      dtype:
        given === undefined
          ? undefined
          : checkDtype(given, `${argument}.${dtype === undefined ? 'type' : 'dtype'}`),
    };
    if (ArrayBuffer.isView(data)) return fromView(data, argument, inner);
    if (Array.isArray(data)) return fromNumbers(data, argument, inner);
  }
  const isForeign = typeof (Object(value) as { dataSync?: unknown }).dataSync === 'function';
  const actual = isForeign
    ? new Description(
        'one of another library: { data: x.dataSync(), shape: x.shape } is what it needs',
      )
    : value;
  return fail('ERR_DTYPE', argument, 'a tensor, nested arrays or { data, shape }', actual);
}

function fromView(view: ArrayBufferView, argument: string, { shape, dtype }: Wanted): Tensor {
  const bits = float16Bits(view);
  const wanted = dtype ?? (bits ? 'float16' : dtypeOfArray(view, argument));
  const data = wanted === 'float16' && bits ? bits : view;
  if (holds(wanted, data)) {
    return fromHost(
      data,
      checkShape(shape ?? [lengthOf(data)], lengthOf(data), `${argument}.shape`),
      wanted,
    );
  }
  if (!bits) dtypeOfArray(view, argument, dtype); // must be a known one, whatever it is converted to
  const numbers = { view: view as unknown as ArrayLike<number | bigint>, length: lengthOf(view) };
  return fromFlat(numbers, shape ?? [numbers.length], wanted, argument);
}

function fromNumbers(value: unknown, argument: string, wanted: Wanted): Tensor {
  const { dtype = wanted.dtypeOfNumbers ?? 'float32' } = wanted;
  const shape = shapeOf(value, argument);
  const view = flatten(value, shape, argument);
  return fromFlat({ view, length: view.length }, wanted.shape ?? shape, dtype, argument);
}

function fromFlat(
  { view, length }: { view: ArrayLike<number | bigint>; length: number },
  lengths: readonly number[],
  dtype: Dtype,
  argument: string,
): Tensor {
  const shape = checkShape(lengths, length, `${argument}.shape`);
  const data = allocate(isHalf(dtype) ? 'float64' : dtype, length);
  for (let i = 0; i < length; i++) {
    const number = view[i] as number | bigint;
    data[i] = dtype === 'int64' ? wholeBigInt(number, dtype, i, argument) : Number(number);
    if (!isFloat(dtype) && Number(data[i]) !== Number(number)) {
      rejectElement(number, dtype, i, argument);
    }
  }
  if (!isHalf(dtype)) return fromHost(data, shape, dtype);
  const bits = allocate(dtype, length);
  native(() => binding.cast(hostOperand(data, 'float64'), hostOperand(bits, dtype)));
  return fromHost(bits, shape, dtype);
}

function wholeBigInt(number: number | bigint, dtype: Dtype, i: number, argument: string): bigint {
  if (typeof number === 'number' && !Number.isInteger(number))
    rejectElement(number, dtype, i, argument);
  return BigInt(number);
}

function rejectElement(number: unknown, dtype: Dtype, i: number, argument: string): never {
  fail('ERR_DTYPE', `${argument}[${i}]`, `a value of ${dtype}`, number);
}
