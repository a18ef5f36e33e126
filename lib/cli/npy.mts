// Arrays in `.npy` files, as numpy.save writes them: the format is read and written by npyjs.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { availableMemory } from 'node:process';
import { dump, type NpyArray, parse } from 'npyjs';
import type { Dtype, Tensor } from '../index.mjs';
import { UsageError } from './usage.mjs';

/** An array of a file, as the losses take it. */
export interface FileArray {
  data: ArrayBufferView;
  shape: number[];
  dtype: Dtype;
}

/** Is told how many of how many bytes are done. */
export type Progress = (done: number, all: number) => void;

/** Bytes between two calls of `Progress`. */
const step = 64 * 2 ** 20;

/** Reads an array. What is wrong with the file is a `UsageError` that names `flag`. */
export function readNpy(path: string, flag: string, progress: Progress = () => {}): FileArray {
  const refuse = (what: string): never => {
    throw new UsageError(`${flag} ${path}: ${what}`);
  };
  const read = arrayOf(bytesOf(path, refuse, progress), refuse);
  if (read.fortranOrder) refuse('is in Fortran order; numpy.ascontiguousarray makes it row-major');
  const { shape } = read;
  const { data, dtype } = elementsOf(read, refuse);
  const size = shape.reduce((product, length) => product * length, 1);
  const { length } = data as unknown as ArrayLike<unknown>;
  if (length !== size)
    refuse(`holds ${length} elements, ${size} of its shape (${shape.join(', ')})`);
  return { data, shape, dtype };
}

type Refuse = (what: string) => never;

function bytesOf(path: string, refuse: Refuse, progress: Progress): ArrayBuffer {
  const file = opened(path, 'r', refuse);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) refuse('is no file');
    const { size } = facts;
    if (size > availableMemory()) {
      refuse(`has ${size} bytes, ${availableMemory()} of memory are free; evaluate parts of it`);
    }
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; ) {
      const length = readSync(file, bytes, at, Math.min(step, size - at), at);
      if (length === 0) refuse('became shorter while it was read');
      at += length;
      progress(at, size);
    }
    return bytes.buffer;
  } finally {
    closeSync(file);
  }
}

function opened(path: string, mode: 'r' | 'w', refuse: Refuse): number {
  try {
    return openSync(path, mode);
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: mode === 'r' ? 'no such file' : 'no such folder',
      EACCES: 'permission denied',
      EISDIR: 'is a folder',
    };
    const { code = '', message } = error as NodeJS.ErrnoException;
    return refuse(reasons[code] ?? message);
  }
}

function arrayOf(buffer: ArrayBuffer, refuse: Refuse): NpyArray {
  try {
    return parse(buffer, { convertFloat16: false });
  } catch (error) {
    const { message } = error as Error;
    return refuse(`is no array that can be read: ${message.replace(/^Not an/, 'not an')}`);
  }
}

/** The dtypes of numpy, as those of culoss that hold them. */
function elementsOf({ data, dtype }: NpyArray, refuse: Refuse): Pick<FileArray, 'data' | 'dtype'> {
  const numbers = data as unknown as ArrayLike<number>;
  switch (dtype) {
    case 'f4':
      return { data, dtype: 'float32' };
    case 'f8':
      return { data, dtype: 'float64' };
    case 'f2':
      return { data, dtype: 'float16' };
    case 'i4':
      return { data, dtype: 'int32' };
    case 'i8':
      return { data, dtype: 'int64' };
    case 'u8': // an id beyond 2^63 becomes negative: out of range either way
      return { data: new BigInt64Array(data.buffer, data.byteOffset), dtype: 'int64' };
    case 'u1':
      return { data, dtype: 'uint8' };
    case 'b1':
      return { data: Uint8Array.from(numbers, Number), dtype: 'uint8' };
    case 'i1':
    case 'i2':
    case 'u2':
      return { data: Int32Array.from(numbers), dtype: 'int32' };
    case 'u4':
      return { data: BigInt64Array.from(numbers as ArrayLike<never>, BigInt), dtype: 'int64' };
    default:
      return refuse(`has elements of ${dtype}, expected real numbers, integers or booleans`);
  }
}

/** Writes a tensor of a floating-point dtype that numpy has. */
export function writeNpy(
  path: string,
  flag: string,
  tensor: Tensor,
  progress: Progress = () => {},
): void {
  const { dtype, shape } = tensor;
  const refuse: Refuse = (what) => {
    throw new UsageError(`${flag} ${path}: ${what}`);
  };
  if (dtype === 'bfloat16') refuse('numpy has no bfloat16');
  const data = tensor.dataSync();
  const none = data.slice(0, 0); // for the header alone
  const header = dump(none, [...shape], dtype === 'float16' ? { dtype: 'f2' } : {});
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const file = opened(path, 'w', refuse);
  try {
    writeSync(file, new Uint8Array(header));
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(file, bytes, at, Math.min(step, bytes.length - at));
      progress(at, bytes.length);
    }
  } finally {
    closeSync(file);
  }
}
