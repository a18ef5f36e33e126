import { fail } from '../errors';
import { sameShape, sizeOf } from '../shape';

/** A shape seen from its class axis, as (outer, columns, inner). A row is one (outer, inner). */
export interface Axes {
  outer: number;
  columns: number;
  inner: number;
  rows: number;
  /** The inputs' shape without the class axis, and with one of length 1. */
  rowShape: readonly number[];
  rowShapeOfOneClass: readonly number[];
}

/** Finds the class axis of the inputs. */
export function axesOf(shape: readonly number[], axis: number): Axes {
  const rank = shape.length;
  if (rank < 2) fail('ERR_SHAPE', 'inputs', 'a shape [N, C, …] with C of at least 1', shape);
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) {
    fail(
      'ERR_OPTION',
      'options.axis',
      `an axis of inputs of the shape [${shape.join(', ')}]`,
      axis,
    );
  }
  const columns = shape[at] as number;
  if (columns === 0) fail('ERR_SHAPE', 'inputs', 'a class axis of at least 1', shape);
  // By hand: spreads and slices of a frozen array take longer than a small loss.
  const rowShape: number[] = [];
  const rowShapeOfOneClass: number[] = [];
  let [outer, inner] = [1, 1];
  for (let i = 0; i < rank; i++) {
    const length = shape[i] as number;
    rowShapeOfOneClass.push(i === at ? 1 : length);
    if (i === at) continue;
    rowShape.push(length);
    if (i < at) outer *= length;
    else inner *= length;
  }
  const rows = outer * inner;
  if (rows === 0) [outer, inner] = [0, 1];
  return { outer, columns, inner, rows, rowShape, rowShapeOfOneClass };
}

/**
 * Whether a shape has one element per row: for inputs [N, C] any shape of N elements, else the
 * rows' shape, give or take axes of length 1, or all rows in one axis.
 */
export function isPerRow(shape: readonly number[], { rows, rowShape }: Axes): boolean {
  if (sizeOf(shape) !== rows) return false;
  if (rowShape.length === 1 || shape.length === 1) return true;
  const long = (lengths: readonly number[]): number[] => lengths.filter((length) => length !== 1);
  return sameShape(long(shape), long(rowShape));
}
