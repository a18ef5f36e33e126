// Arrays in `.npy` files, as numpy.save writes them: the format is read and written by npyjs.

import { constants } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { totalmem } from 'node:os';
import { availableMemory } from 'node:process';
import { dump, type NpyArray, parse } from 'npyjs';
import type { Dtype, Tensor } from '../index.mjs';
import { reasonOf } from './outputs.mjs';
import { UsageError } from './usage.mjs';

/** An array of a file, as the losses take it. */
export interface FileArray {
  data: ArrayBufferView;
  shape: number[];
  dtype: Dtype;
}

/** Is told how many of how many bytes are done, and when there will be no more. */
export interface Progress {
  at(done: number, all: number): void;
  end(): void;
}

const unseen: Progress = { at() {}, end() {} };

/** Bytes between two calls of `Progress`. */
const step = 64 * 2 ** 20;

/** Reads an array. What is wrong with the file is a `UsageError` that names `flag`. */
export function readNpy(path: string, flag: string, progress: Progress = unseen): FileArray {
  const refuse = (what: string): never => {
    throw new UsageError(`${flag} ${path}: ${what}`);
  };
  const read = arrayOf(bytesOf(path, refuse, progress), refuse);
  if (read.fortranOrder) refuse('is in Fortran order; numpy.ascontiguousarray makes it row-major');
  const { shape } = read;
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    refuse('is no array that can be read: its shape is none');
  }
  const { data, dtype } = elementsOf(read, refuse);
  const size = shape.reduce((product, length) => product * length, 1);
  const { length } = data as unknown as ArrayLike<unknown>;
  if (length !== size)
    refuse(`holds ${length} elements, ${size} of its shape (${shape.join(', ')})`);
  return { data, shape, dtype };
}

/** Throws unless there is memory for all that is read of these files, and for `outputs` bytes. */
export function expectMemory(paths: readonly string[], outputs: number): void {
  const bytes = paths.reduce((sum, path) => sum + sizeOfFile(path), outputs);
  const free = freeMemory();
  if (bytes > free) {
    throw new UsageError(
      `${bytes} bytes of memory are needed, ${free} are free; evaluate parts of the files`,
    );
  }
}

/** In a container, files that Linux has read before count as in use, and are not. */
function freeMemory(): number {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < totalmem();
  return Math.max(availableMemory(), isLimited ? limit - process.memoryUsage.rss() : 0);
}

/** 0 for a file that cannot be read, which its reader will say. */
export function sizeOfFile(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}

type Refuse = (what: string) => never;

function bytesOf(path: string, refuse: Refuse, progress: Progress): ArrayBuffer {
  const file = opened(path, 'r', refuse);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) refuse('is no file');
    const { size } = facts;
    const most = constants.MAX_LENGTH;
    if (size > most) refuse(`has ${size} bytes, more than ${most}; evaluate parts of it`);
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; ) {
      const length = readSync(file, bytes, at, Math.min(step, size - at), at);
      if (length === 0) refuse('became shorter while it was read');
      at += length;
      progress.at(at, size);
    }
    return bytes.buffer;
  } finally {
    progress.end();
    closeSync(file);
  }
}

function opened(path: string, mode: 'r' | 'w', refuse: Refuse): number {
  try {
    return openSync(path, mode);
  } catch (error) {
    return refuse(reasonOf(error));
  }
}

function arrayOf(buffer: ArrayBuffer, refuse: Refuse): NpyArray {
  try {
    return parse(withoutBooleans(buffer), { convertFloat16: false });
  } catch (error) {
    const { message } = error as Error;
    const why =
      error instanceof RangeError ? 'it is damaged' : message.replace(/^Not an/, 'not an');
    return refuse(`is no array that can be read: ${why}`);
  }
}

/** Booleans are bytes, too: npyjs would make an array of `true` and `false` of them. */
function withoutBooleans(buffer: ArrayBuffer): ArrayBuffer {
  const header = Buffer.from(buffer, 0, Math.min(buffer.byteLength, 256));
  const at = header.toString('latin1').search(/'[|<>=]b1'/);
  if (at >= 0) header.write("'|u1'", at);
  return buffer;
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
    case 'u8': {
      const whole = new BigInt64Array(data.buffer, data.byteOffset);
      if (whole.some((id) => id < 0n)) refuse('has a number beyond 2^63');
      return { data: whole, dtype: 'int64' };
    }
    case 'u1':
      return { data, dtype: 'uint8' };
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
  progress: Progress = unseen,
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
      progress.at(at, bytes.length);
    }
  } catch (error) {
    refuse(reasonOf(error));
  } finally {
    progress.end();
    closeSync(file);
  }
}
