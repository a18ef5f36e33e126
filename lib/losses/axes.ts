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
  const rowShape = [...shape.slice(0, at), ...shape.slice(at + 1)];
  const rows = sizeOf(rowShape);
  const inner = sizeOf(shape.slice(at + 1));
  return {
    ...(rows === 0 ? { outer: 0, inner: 1 } : { outer: rows / inner, inner }),
    columns,
    rows,
    rowShape,
    rowShapeOfOneClass: [...shape.slice(0, at), 1, ...shape.slice(at + 1)],
  };
}

/**
 * Whether a shape has one element per row: for inputs [N, C] any shape of N elements, else the
 * rows' shape, give or take axes of length 1, or all rows in one axis.
 */
export function isPerRow(shape: readonly number[], { rows, rowShape }: Axes): boolean {
  if (sizeOf(shape) !== rows) return false;
  const long = (lengths: readonly number[]): number[] => lengths.filter((length) => length !== 1);
  return rowShape.length === 1 || shape.length === 1 || sameShape(long(shape), long(rowShape));
}
