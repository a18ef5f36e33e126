// Tensors of a workload where it is measured, several times over: used in turn, so that no call finds in
// the cache what the one before it left there.
import { cuda, type Device, type Tensor, tensor } from '../index.mjs';
import { arrayOf, oneHot, repeat, type Tiles } from './numbers.mjs';
import type { Place } from './places.mjs';
import {
  bytesMoved,
  bytesOfInputs,
  criterionOf,
  elementsOf,
  rowsOf,
  type Workload,
} from './workloads.mjs';

export interface Buffers {
  inputs: Tensor;
  targets: Tensor;
  out: Tensor;
  outGrad: Tensor;
}

export function setsOf(workload: Workload, { moreThanCaches, mostSets }: Place): number {
  const needed = Math.ceil(moreThanCaches / bytesMoved(workload));
  return Math.min(Math.max(needed, 2), mostSets);
}

/** Bytes of memory: of the machine, and of the device. */
export interface Memory {
  host: number;
  device: number;
}

/** What the process may still take. */
export const freeMemory = ({ device }: Place): Memory => ({
  host: process.availableMemory(),
  device: device === 'cpu' ? 0 : cuda.device(0).totalMemory,
});

/**
 * What measuring takes: inputs and gradient of each set, and the numbers that they repeat, twice, since
 * those of the workload before are still there.
 */
export function memoryOfSets(workload: Workload, place: Place): Memory {
  const numbers = 2 * bytesOfInputs(workload);
  const sets = numbers * setsOf(workload, place);
  return place.device === 'cpu'
    ? { host: numbers + sets, device: 0 }
    : { host: numbers, device: sets };
}

/** The workload, or if its memory is not free, one of half as many rows, or half of that, … */
export function smallerWhere(free: Memory, workload: Workload, place: Place): Workload {
  const { host, device } = memoryOfSets(workload, place);
  const [rows, ...others] = workload.shape as [number, ...number[]];
  if ((host <= free.host && device <= free.device) || rows === 1) return workload;
  return smallerWhere(free, { ...workload, shape: [Math.ceil(rows / 2), ...others] }, place);
}

/** So many sets, of the same numbers; their outputs are those of a first call. */
export function makeBuffers(
  workload: Workload,
  tiles: Tiles,
  { device, count }: { device: Device; count: number },
): Buffers[] {
  const { shape, dtype, targets } = workload;
  const numbers = repeat(tiles.inputs, arrayOf(dtype, elementsOf(workload)));
  const ids = repeat(tiles.ids, new Int32Array(rowsOf(workload)));
  const asked =
    targets === 'class ids'
      ? tensor(ids, [shape[0] as number, ...shape.slice(2)])
      : tensor(oneHot(ids, shape[1] as number, dtype), shape, { dtype });
  const criterion = criterionOf(workload);
  return Array.from({ length: count }, () => {
    const inputs = tensor(device === 'cpu' ? numbers.slice() : numbers, shape, { dtype, device });
    const placed = asked.to(device);
    const { loss, grad } = criterion.valueAndGrad(inputs, placed);
    return { inputs, targets: placed, out: loss, outGrad: grad };
  });
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
