import type { Operand } from '../binding';
import { Description, errorOf, fail } from './errors';

/** The element types, in the order of `enum class Dtype` in native/core/dtype.h. */
export const dtypes = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int32',
  'int64',
  'uint8',
] as const;

/** `float32 float64 float16 bfloat16` for inputs; `int32 int64 uint8` too for targets. */
export type Dtype = (typeof dtypes)[number];

/** The dtypes of inputs and gradients. */
export type FloatDtype = 'float32' | 'float64' | 'float16' | 'bfloat16';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
} as const;

/** The typed array that holds a dtype; the half types as their 16 bits. */
export type DataOf<D extends Dtype = Dtype> = InstanceType<(typeof arrays)[D]>;

/** Any of the typed arrays that hold a tensor. */
export type HostData = DataOf;

export const dtypeCode = (dtype: Dtype): number => dtypes.indexOf(dtype);

export const isFloat = (dtype: Dtype): dtype is FloatDtype => dtypeCode(dtype) < 4;

export const isHalf = (dtype: Dtype): boolean => dtype === 'float16' || dtype === 'bfloat16';

const significantBits = { float32: 24, float64: 53, float16: 11, bfloat16: 8 } as const;

/** Whether a floating-point dtype has an integer as it is. */
export function holdsInteger(dtype: FloatDtype, integer: number): boolean {
  let odd = Math.abs(integer);
  while (odd !== 0 && odd % 2 === 0) odd /= 2;
  const isInRange = dtype !== 'float16' || Math.abs(integer) <= 65504;
  return isInRange && odd < 2 ** significantBits[dtype];
}

export const bytesPerElement = (dtype: Dtype): number => arrays[dtype].BYTES_PER_ELEMENT;

/** A whole buffer as elements of a dtype. */
export const viewOf = <D extends Dtype>(buffer: ArrayBuffer, dtype: D): DataOf<D> =>
  new arrays[dtype](buffer) as DataOf<D>;

/** New zeros. Throws `ERR_OUT_OF_MEMORY`. */
export function allocate(dtype: Dtype, size: number): HostData {
  try {
    return new arrays[dtype](size);
  } catch {
    const bytes = size * bytesPerElement(dtype);
    throw errorOf('ERR_OUT_OF_MEMORY', `the host has no ${bytes} bytes for ${size} of ${dtype}`);
  }
}

/** What every typed array has, whatever was defined on this one. */
const intrinsic = (name: PropertyKey): unknown =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), name)?.get;

/** The name of the kind of a typed array, of any realm; undefined for what is none. */
const kindOf = intrinsic(Symbol.toStringTag) as (this: ArrayBufferView) => string | undefined;

const length = intrinsic('length') as (this: ArrayBufferView) => number;

/** The elements of a typed array; 0 if it is detached. */
export const lengthOf = (data: ArrayBufferView): number => length.call(data);

/** Whether a typed array can stand for a dtype as it is. */
export function holds(dtype: Dtype, data: ArrayBufferView): data is HostData {
  return kindOf.call(data) === arrays[dtype].name;
}

/** Memory on the host as the addon takes it. */
export function hostOperand(memory: HostData, dtype: Dtype): Operand {
  return { memory, dtype: dtypeCode(dtype), size: lengthOf(memory) };
}

export function checkDtype(dtype: unknown, argument: string): Dtype {
  if (!dtypes.includes(dtype as Dtype))
    fail('ERR_DTYPE', argument, `one of ${dtypes.join(', ')}`, dtype);
  return dtype as Dtype;
}

/** The bits of a Float16Array, which runtimes have from Node 24 on. */
export function float16Bits(data: ArrayBufferView): Uint16Array | undefined {
  if (kindOf.call(data) !== 'Float16Array') return undefined;
  return new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
}

/** The dtype that a typed array has by itself. 16-bit words could be either half type. */
export function dtypeOfArray(data: ArrayBufferView, argument: string, wanted?: Dtype): Dtype {
  for (const dtype of dtypes) {
    if (!isHalf(dtype) && holds(dtype, data)) return dtype;
  }
  if (holds('float16', data)) {
    fail('ERR_DTYPE', argument, "the dtype 'float16' or 'bfloat16' beside a Uint16Array", wanted);
  }
  const known =
    'a Float32Array, Float64Array, Float16Array, Int32Array, BigInt64Array or Uint8Array';
  return fail(
    'ERR_DTYPE',
    argument,
    known,
    new Description(`a ${kindOf.call(data) ?? 'DataView'}`),
  );
}
