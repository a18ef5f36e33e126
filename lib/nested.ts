import { Description, fail } from './errors';
import { mostAxes, mostNested, sizeOf } from './shape';

/** Numbers in arrays in arrays: one level for each axis. */
export type NestedArray<N = number> = N | readonly NestedArray<N>[];

/** The shape of nested arrays, read along their first elements. */
export function shapeOf(nested: unknown, argument: string): number[] {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) {
    if (shape.push(level.length) > mostAxes) {
      fail('ERR_SHAPE', argument, `at most ${mostAxes} levels of arrays`, new Description('more'));
    }
  }
  if (sizeOf(shape) > mostNested) {
    fail('ERR_SHAPE', argument, `a typed array for more than ${mostNested} numbers`, shape);
  }
  return shape;
}

/** The numbers of nested arrays in row-major order. Throws where they are ragged. */
export function flatten(
  nested: unknown,
  shape: readonly number[],
  argument: string,
): (number | bigint)[] {
  const flat: (number | bigint)[] = [];
  const visit = (value: unknown, axis: number, name: string): void => {
    if (axis === shape.length) {
      if (typeof value !== 'number' && typeof value !== 'bigint') {
        if (Array.isArray(value)) fail('ERR_SHAPE', name, 'a number, as its neighbours are', value);
        fail('ERR_DTYPE', name, 'a number', value);
      }
      flat.push(value);
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      fail('ERR_SHAPE', name, `${shape[axis]} elements, as its neighbours have`, value);
    }
    // Not forEach, which passes over holes.
    for (let i = 0; i < (shape[axis] as number); i++) {
      visit(value[i], axis + 1, `${name}[${i}]`);
    }
  };
  visit(nested, 0, argument);
  return flat;
}

/** The inverse of `flatten`. */
export function nest<N>(flat: ArrayLike<N>, shape: readonly number[]): NestedArray<N> {
  const build = (axis: number, offset: number, stride: number): NestedArray<N> => {
    if (axis === shape.length) return flat[offset] as N;
    const step = stride / (shape[axis] || 1);
    return Array.from({ length: shape[axis] as number }, (_, i) =>
      build(axis + 1, offset + i * step, step),
    );
  };
  return build(0, 0, flat.length);
}
