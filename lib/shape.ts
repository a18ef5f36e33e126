import { fail } from './errors';

/** The most axes of a tensor. */
export const mostAxes = 16;

/** The most numbers that nested arrays may hold, or arrays that they may be nested in. */
export const mostNested = 2 ** 24;

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** A shape of `size` elements. */
export function checkShape(shape: unknown, size: number, argument: string): readonly number[] {
  const isLength = (length: unknown): boolean =>
    Number.isSafeInteger(length) && Number(length) >= 0;
  if (!Array.isArray(shape) || shape.length > mostAxes || !shape.every(isLength)) {
    fail('ERR_SHAPE', argument, `an array of at most ${mostAxes} whole numbers`, shape);
  }
  if (sizeOf(shape) !== size) fail('ERR_SHAPE', argument, `a shape of ${size} elements`, shape);
  // A tensor without elements can still have axes whose product is beyond any memory.
  if (size === 0 && sizeOf(shape.filter((length) => length > 0)) > mostNested) {
    fail('ERR_SHAPE', argument, `axes beside the empty one of at most ${mostNested} in all`, shape);
  }
  return shape;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
