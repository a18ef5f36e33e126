// Every row of the table against the float64 reference: value, shape and dtype of the loss, and the
// gradient against central differences with an upstream gradient that is not 1.
import { expect } from 'chai';
import { type Device, type Tensor, tensor } from 'culoss';
import {
  type Batch,
  batchOf,
  criterionOf,
  type FloatDtype,
  floatDtypes,
  rows,
  shapes,
  specOf,
  titleOf,
  tolerances,
} from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import { centralDifferences, reference, type Spec } from './reference.mjs';

/** Each kind of targets, as tensors of their own dtype, and the dense matrix that they mean. */
const targetKinds = {
  'int32 ids': ({ ids, oneHot }: Batch) => ({ y: tensor(new Int32Array(ids)), dense: oneHot }),
  'int64 ids': ({ ids, oneHot }: Batch) => ({
    y: tensor(ids, [ids.length], { dtype: 'int64' }),
    dense: oneHot,
  }),
  'uint8 one-hot': ({ oneHot }: Batch) => ({
    y: tensor(oneHot, undefined, { dtype: 'uint8' }),
    dense: oneHot,
  }),
  'float64 soft': ({ soft }: Batch) => ({
    y: tensor(soft, undefined, { dtype: 'float64' }),
    dense: soft,
  }),
};

type TargetKind = keyof typeof targetKinds;

function prepare(
  spec: Spec,
  shape: readonly [number, number],
  kind: TargetKind,
  device: Device,
  dtype: FloatDtype,
) {
  const batch = batchOf(shape, spec.from);
  const { y, dense } = targetKinds[kind](batch);
  const inputs = tensor(batch.inputs, undefined, { dtype, device });
  const rounded = inputs.arraySync() as number[][];
  return { inputs, rounded, targets: y.to(device), dense };
}

const options = (shape: readonly [number, number], kind: TargetKind) =>
  shape[1] === 1 && kind === 'uint8 one-hot' ? { oneHot: true } : {};

describe('reference', () => {
  for (const row of rows) {
    for (const shape of shapes) {
      const spec = specOf(row, shape[1]);
      for (const dtype of floatDtypes) {
        for (const kind of Object.keys(targetKinds) as TargetKind[]) {
          // 257 columns of ids say nothing about the half types that 3 do not.
          if (shape[1] > 3 && dtype !== 'float32' && kind !== 'int32 ids') continue;
          const title = `${spec.loss} value ${dtype} ${shape.join('x')} ${kind} ${titleOf(row)}`;
          onDevices(title, (device) => {
            const { inputs, rounded, targets, dense } = prepare(spec, shape, kind, device, dtype);
            const loss = criterionOf(spec, options(shape, kind)).forward(inputs, targets);
            expect(loss.shape).to.deep.equal([]);
            expect(loss.dtype).to.equal(dtype === 'float64' ? 'float64' : 'float32');
            expect(loss.device).to.equal(device);
            const { mean } = reference(spec, rounded, dense);
            expectClose([loss.item()], [mean], {
              relative: tolerances[dtype].value,
              absolute: 1e-36,
            });
          });
        }
      }
    }
  }
});

describe('gradient', () => {
  const upstream = -1.7;
  for (const row of rows) {
    for (const shape of shapes) {
      const spec = specOf(row, shape[1]);
      for (const kind of ['int32 ids', 'float64 soft'] as const) {
        const isLarge = shape[1] > 3;
        if (isLarge && kind === 'float64 soft') continue;
        const title = (dtype: FloatDtype): string =>
          `${spec.loss} gradient ${dtype} ${shape.join('x')} ${kind} ${titleOf(row)}`;
        const gradOf = (x: Tensor, y: Tensor): Tensor =>
          criterionOf(spec).valueAndGrad(x, y, { gradOutput: upstream }).grad;

        onDevices(title('float64'), (device) => {
          const { inputs, rounded, targets, dense } = prepare(spec, shape, kind, device, 'float64');
          const grad = gradOf(inputs, targets).arraySync() as number[][];
          const { divisor } = reference(spec, rounded, dense);
          const [first, last] = [0, shape[0] - 1];
          for (const n of isLarge ? [first, last] : rounded.keys()) {
            // A row's gradient depends on that row alone, and on the divisor of the batch.
            const value = (x: number[][]): number =>
              (upstream * reference(spec, x, [dense[n] as number[]]).sum) / divisor;
            const step = isLarge ? 37 : 1;
            const places = [...Array(shape[1]).keys()].filter(
              (c) => c % step === 0 || dense[n]?.[c],
            );
            const differences = centralDifferences(
              value,
              [rounded[n] as number[]],
              places.map((c) => [0, c]),
            );
            const got = places.map((c) => grad[n]?.[c] as number);
            expectClose(got, differences, { relative: 1e-6, absolute: 1e-8 });
          }
        });

        for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
          onDevices(title(dtype), (device) => {
            const { inputs, rounded, targets } = prepare(spec, shape, kind, device, dtype);
            const grad = gradOf(inputs, targets);
            expect(grad.dtype).to.equal(dtype);
            expect(grad.device).to.equal(device);
            const exact = gradOf(tensor(rounded, undefined, { dtype: 'float64' }), targets.cpu());
            const { grad: relative, smallest } = tolerances[dtype];
            // Where terms of a soft target cancel, the digits lost are those of the largest term.
            const absolute = kind === 'float64 soft' ? 2e-7 : smallest;
            expectClose(numbers(grad), numbers(exact), { relative, absolute });
          });
        }
      }
    }
  }
});
