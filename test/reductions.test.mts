// The four reductions, the upstream gradient of each, the empty batch, and sums that repeat.
import { expect } from 'chai';
import { cpu, tensor } from 'culoss';
import { batchOf, criterionOf, type FloatDtype, lossNames } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { centralDifferences, isBinary, reference, type Spec } from './reference.mjs';

const shape = [7, 3] as const;

function specs(): Spec[] {
  return lossNames.flatMap((loss) =>
    (['probabilities', 'logits'] as const).map((from) => ({ loss, from, alpha: 0.25 })),
  );
}

const titleOf = ({ loss, from }: Spec, rest: string): string => `${loss} ${rest} ${from}`;

describe('reduction', () => {
  for (const spec of specs()) {
    const { inputs, ids, oneHot, soft } = batchOf(shape, spec.from);
    for (const [kind, targets, dense] of [
      ['ids', ids, oneHot],
      ['dense', soft, soft],
    ] as const) {
      const { matrix, rows, sum, divisor } = reference(spec, inputs, dense);
      const none = isBinary(spec.loss) ? matrix : rows;
      const expected = {
        sum: { shape: [], values: [sum] },
        none: { shape: isBinary(spec.loss) ? [7, 3] : [7], values: none.flat() },
        matrix: { shape: [7, 3], values: matrix.flat().map((value) => value / divisor) },
      };
      for (const reduction of ['sum', 'none', 'matrix'] as const) {
        onDevices(titleOf(spec, `reduction ${reduction} ${kind}`), (device) => {
          const x = tensor(inputs, undefined, { dtype: 'float64', device });
          const y = tensor(targets, undefined, { dtype: 'float64', device });
          const loss = criterionOf(spec, { reduction }).forward(x, y);
          expect(loss.shape).to.deep.equal(expected[reduction].shape);
          expectClose(numbers(loss), expected[reduction].values, { relative: 1e-12 });
        });

        onDevices(titleOf(spec, `reduction ${reduction} ${kind} gradOutput`), (device) => {
          const x = tensor(inputs, undefined, { dtype: 'float64', device });
          const y = tensor(targets, undefined, { dtype: 'float64', device });
          const criterion = criterionOf(spec, { reduction });
          const upstream = expected[reduction].values.map((_, i) => 0.5 + i / 3);
          const gradOf = (u: number[]): number[] => {
            const gradOutput = tensor(u, expected[reduction].shape, { dtype: 'float64', device });
            return numbers(criterion.valueAndGrad(x, y, { gradOutput }).grad);
          };
          const places = inputs.flatMap((row, n) => row.map((_, c) => [n, c] as const));
          const weightedSum = (at: number[][]): number => {
            const losses = reference(spec, at, dense);
            const values = {
              sum: [losses.sum],
              none: isBinary(spec.loss) ? losses.matrix.flat() : losses.rows,
              matrix: losses.matrix.flat().map((value) => value / losses.divisor),
            };
            return values[reduction].reduce((sum, v, k) => sum + v * (upstream[k] as number), 0);
          };
          const differences = centralDifferences(weightedSum, inputs, places);
          expectClose(gradOf(upstream), differences, { relative: 1e-6, absolute: 1e-8 });
          expectClose(
            numbers(criterion.valueAndGrad(x, y, { gradOutput: 3 }).grad),
            gradOf(upstream.map(() => 3)),
            { relative: 1e-14 },
          );
        });
      }
    }
  }

  for (const spec of specs()) {
    for (const onEmpty of ['nan', 'zero'] as const) {
      const empty = onEmpty === 'nan' ? Number.NaN : 0;
      onDevices(titleOf(spec, `onEmpty ${onEmpty} no rows`), (device) => {
        const x = tensor(new Float32Array(0), [0, 3], { device });
        const y = tensor(new Int32Array(0), [0], { device });
        const { loss, grad } = criterionOf(spec, { onEmpty }).valueAndGrad(x, y);
        expectSame([loss.item()], [empty]);
        expect(grad.shape).to.deep.equal([0, 3]);
      });
      if (isBinary(spec.loss)) continue;
      onDevices(titleOf(spec, `onEmpty ${onEmpty} all targets 0`), (device) => {
        const x = tensor([[0.25, 0.75]], undefined, { device });
        const y = tensor([[0, 0]], undefined, { device });
        const { loss, grad } = criterionOf(spec, { onEmpty }).valueAndGrad(x, y);
        expectSame([loss.item()], [empty]);
        expectSame(numbers(grad), [0, 0]);
      });
      onDevices(titleOf(spec, `onEmpty ${onEmpty} targets that cancel`), (device) => {
        const x = tensor([[0.25, 0.75]], undefined, { device });
        const y = tensor([[1, -1]], undefined, { device });
        const { loss, grad } = criterionOf(spec, { onEmpty }).valueAndGrad(x, y);
        expectSame([loss.item()], [empty]);
        expectSame(numbers(grad), [0, 0]);
      });
    }
  }
});

describe('determinism', () => {
  const threads = cpu.threads;
  afterEach(() => {
    cpu.threads = threads;
  });

  for (const spec of specs()) {
    for (const dtype of ['float32', 'float64', 'bfloat16'] as FloatDtype[]) {
      it(`${spec.loss} threads 1, 2, 3 and 8 ${spec.from} ${dtype}`, () => {
        const batch = batchOf([331, 257], spec.from);
        const x = tensor(batch.inputs, undefined, { dtype });
        for (const targets of [tensor(batch.ids), tensor(batch.soft)]) {
          const run = (count: number) => {
            cpu.threads = count;
            const { loss, grad } = criterionOf(spec).valueAndGrad(x, targets);
            return [Buffer.from(loss.dataSync().buffer), Buffer.from(grad.dataSync().buffer)];
          };
          const [loss, grad] = run(1) as [Buffer, Buffer];
          for (const count of [2, 3, 8]) {
            const [otherLoss, otherGrad] = run(count) as [Buffer, Buffer];
            expect(otherLoss.equals(loss), `loss, ${count} threads`).to.equal(true);
            expect(otherGrad.equals(grad), `grad, ${count} threads`).to.equal(true);
          }
        }
      });
    }

    onDevices(titleOf(spec, 'the same bits in every run'), (device) => {
      const batch = batchOf([331, 257], spec.from);
      const x = tensor(batch.inputs, undefined, { device });
      const y = tensor(batch.soft, undefined, { device });
      const run = (): number[] => {
        const { loss, grad } = criterionOf(spec).valueAndGrad(x, y);
        return [loss.item(), ...numbers(grad)];
      };
      const first = run();
      for (let i = 0; i < 5; i++) expectSame(run(), first);
    });
  }

  onDevices('a mean over 4 million elements is right to 1e-6', (device) => {
    const size = 1 << 22;
    const x = tensor(new Float32Array(size).fill(0.3), [size / 4, 4], { device });
    const y = tensor(new Uint8Array(size), [size / 4, 4], { device });
    const loss = criterionOf({ loss: 'BinaryCrossEntropy' }).forward(x, y).item();
    expectClose([loss], [-Math.log1p(-Math.fround(0.3))], { relative: 1e-6 });
  });
});
