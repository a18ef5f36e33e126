import { isUint8Array } from 'node:util/types';
import { checkDevice, type Device, type DeviceLike } from './device';
import { bytesPerElement, checkDtype, type Dtype, lengthOf } from './dtype';
import { Description, fail, failType } from './errors';
import { checkShape, sizeOf } from './shape';
import { checkOptions } from './validate';

/** What `Tensor.fromAddress` takes beside an address and a shape. */
export interface ForeignOptions<D extends Dtype = Dtype> {
  /** Default: `'float32'`. */
  dtype?: D;
  /** Where the memory is. Default: `'cpu'`. */
  device?: DeviceLike;
  /** Is called once, when culoss does not touch the memory any more. */
  release?: () => void;
}

/** What `Tensor.fromIpcHandle` takes beside a handle and a shape. */
export interface IpcOptions<D extends Dtype = Dtype> {
  /** Default: `'float32'`. */
  dtype?: D;
  /** Default: `'cuda'`, the first one. */
  device?: DeviceLike;
  /** Bytes from the begin of the memory that the handle stands for. Default: 0. */
  offset?: number;
}

/** What a tensor over memory of others is. */
interface Read<D extends Dtype> {
  shape: readonly number[];
  dtype: D;
  device: Device;
}

/** Reads the arguments of `Tensor.fromAddress`. */
export function readForeign<D extends Dtype>(
  address: bigint,
  shape: readonly number[],
  options: ForeignOptions<D>,
): Read<D> & { release: (() => void) | undefined } {
  checkOptions(options, ['dtype', 'device', 'release']);
  const { device = 'cpu', release } = options;
  if (release !== undefined && typeof release !== 'function') {
    failType('options.release', 'a function', release);
  }
  const read = readElements(shape, options.dtype);
  checkAddress(address, sizeOf(read.shape), read.dtype);
  return { ...read, device: checkDevice(device, 'options.device'), release };
}

/** Bytes of a handle of CUDA. */
const handleBytes = 64;

/** Reads the arguments of `Tensor.fromIpcHandle`. */
export function readShared<D extends Dtype>(
  handle: Uint8Array,
  shape: readonly number[],
  options: IpcOptions<D>,
): Read<D> & { offset: number } {
  checkOptions(options, ['dtype', 'device', 'offset']);
  const { device = 'cuda', offset = 0 } = options;
  if (!isUint8Array(handle)) failType('handle', `a Uint8Array of ${handleBytes} bytes`, handle);
  if (lengthOf(handle) !== handleBytes) {
    fail('ERR_OPTION', 'handle', `${handleBytes} bytes`, new Description(`${lengthOf(handle)}`));
  }
  const read = readElements(shape, options.dtype);
  const width = bytesPerElement(read.dtype);
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset / width) || offset < 0) {
    fail('ERR_OPTION', 'options.offset', `a multiple of ${width} bytes, from 0 on`, offset);
  }
  return { ...read, device: checkCuda(device), offset };
}

/** A CUDA device, as what processes share needs. */
export function checkCuda(device: unknown): Device {
  const there = checkDevice(device, 'options.device');
  if (there === 'cpu') fail('ERR_DEVICE', 'options.device', 'a CUDA device', there);
  return there;
}

function readElements<D extends Dtype>(
  shape: readonly number[],
  dtype: D | undefined,
): Omit<Read<D>, 'device'> {
  const known = checkDtype(dtype ?? 'float32', 'options.dtype') as D;
  const lengths = checkShape(shape, undefined, 'shape');
  checkSize(sizeOf(lengths), known);
  return { shape: lengths, dtype: known };
}

/** Throws unless there are elements, and not more than there can be. */
export function checkSize(size: number, dtype: Dtype): void {
  if (size > 0 && Number.isSafeInteger(size * bytesPerElement(dtype))) return;
  const actual = new Description(`${size} elements`);
  fail('ERR_SHAPE', 'shape', 'at least one element and fewer than 2^53 bytes', actual);
}

function checkAddress(address: unknown, size: number, dtype: Dtype): void {
  const width = bytesPerElement(dtype);
  const bytes = size * width;
  const expected = `where ${bytes} bytes are, a bigint above 0 and a multiple of ${width}`;
  if (typeof address !== 'bigint') failType('address', expected, address);
  const isWithin = address > 0n && address < 2n ** 64n - BigInt(bytes);
  if (!isWithin || address % BigInt(width) !== 0n) fail('ERR_OPTION', 'address', expected, address);
}
