import { fail } from './errors';

/** The most axes of a tensor. */
export const mostAxes = 16;

/** The most numbers that nested arrays may hold, or arrays that they may be nested in. */
export const mostNested = 2 ** 24;

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** A shape of `size` elements, or of any number of them. */
export function checkShape(
  shape: unknown,
  size: number | undefined,
  argument: string,
): readonly number[] {
  const isLength = (length: unknown): boolean =>
    Number.isSafeInteger(length) && Number(length) >= 0;
  // A copy: what was checked must not change, and a hole must not be passed over.
  const lengths =
    Array.isArray(shape) && shape.length <= mostAxes ? Array.from(shape) : [undefined];
  if (!lengths.every(isLength)) {
    fail('ERR_SHAPE', argument, `an array of at most ${mostAxes} whole numbers below 2^53`, shape);
  }
  const product = sizeOf(lengths);
  if (size !== undefined && product !== size)
    fail('ERR_SHAPE', argument, `a shape of ${size} elements`, lengths);
  // A tensor without elements can still have axes whose product is beyond any memory.
  if (product === 0 && sizeOf(lengths.filter((length) => length > 0)) > mostNested) {
    fail(
      'ERR_SHAPE',
      argument,
      `axes beside the empty one of at most ${mostNested} in all`,
      lengths,
    );
  }
  return lengths;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
