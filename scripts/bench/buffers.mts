// Tensors of a workload on the device, several times over: used in turn, so that no call finds in
// the cache what the one before it left there.
import { type Tensor, tensor } from 'culoss';
import { copy, device, empty } from './device.mjs';
import { arrayOf, oneHot, repeat, type Tiles } from './numbers.mjs';
import { bytesMoved, criterionOf, elementsOf, rowsOf, type Workload } from './workloads.mjs';

export interface Buffers {
  inputs: Tensor;
  targets: Tensor;
  outGrad: Tensor;
  out: Tensor;
}

/** Bytes that no cache of a GPU holds. */
const moreThanCaches = 512 * 2 ** 20;
const mostSets = 32;

export function setsOf(workload: Workload): number {
  const needed = Math.ceil(moreThanCaches / bytesMoved(workload));
  return Math.min(Math.max(needed, 2), mostSets);
}

/** The first set comes from the host, the others are copies of it. */
export function makeBuffers(workload: Workload, tiles: Tiles, count: number): Buffers[] {
  const first = fromHost(workload, tiles);
  const copies = Array.from({ length: count - 1 }, () => {
    const buffers = withOutputs(workload, emptyLike(first.inputs), emptyLike(first.targets));
    copy(first.inputs, buffers.inputs);
    copy(first.targets, buffers.targets);
    return buffers;
  });
  return [first, ...copies];
}

/** The work that is measured, with nothing to allocate. */
export function callOf(workload: Workload): (buffers: Buffers) => void {
  const criterion = criterionOf(workload);
  return workload.pass === 'value'
    ? ({ inputs, targets, out }) => criterion.forward(inputs, targets, { out })
    : ({ inputs, targets, out, outGrad }) =>
        criterion.valueAndGrad(inputs, targets, { out, outGrad });
}

export function dispose(sets: readonly Buffers[]): void {
  for (const buffers of sets) for (const tensor of Object.values(buffers)) tensor.dispose();
}

function fromHost(workload: Workload, tiles: Tiles): Buffers {
  const { shape, dtype, targets } = workload;
  const columns = shape[1] as number;
  const numbers = repeat(tiles.inputs, arrayOf(dtype, elementsOf(workload)));
  const ids = repeat(tiles.ids, new Int32Array(rowsOf(workload)));
  const inputs = tensor(numbers, shape, { dtype, device });
  const asked =
    targets === 'class ids'
      ? tensor(ids, [shape[0] as number, ...shape.slice(2)], { device })
      : tensor(oneHot(ids, columns, dtype), shape, { dtype, device });
  return withOutputs(workload, inputs, asked);
}

function withOutputs({ dtype }: Workload, inputs: Tensor, targets: Tensor): Buffers {
  const out = empty([], dtype === 'float64' ? 'float64' : 'float32');
  return { inputs, targets, outGrad: emptyLike(inputs), out };
}

const emptyLike = ({ shape, dtype }: Tensor): Tensor => empty(shape, dtype as 'float32');
