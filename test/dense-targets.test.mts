// Dense targets where the CPU engine has a shorter way: rows that are one class, and elements of
// which one outcome counts.
import { expect } from 'chai';
import { cpu, type Tensor, tensor } from 'culoss';
import { criterionOf, lossNames, randomNumbers, tolerances } from './cases.mjs';
import { numbers, withIsa } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { gradientOfSum, isBinary, reference } from './reference.mjs';

const chunk = 16384; // elements that a thread takes at a time

/** Inputs and targets of some more than a chunk of elements. */
function batchOf(columns: number) {
  const rows = Math.ceil((chunk + 100) / columns);
  const random = randomNumbers(columns);
  const draw = (of: () => number): number[] => Array.from({ length: rows * columns }, of);
  const ids = Array.from({ length: rows }, (_, r) => (r * 31) % columns);
  return {
    rows,
    inputs: {
      logits: draw(() => 16 * random() - 8),
      probabilities: draw(() => 0.02 + 0.96 * random()),
    },
    ids,
    oneHot: ids.flatMap((id) => Array.from({ length: columns }, (_, c) => Number(c === id))),
    multiHot: draw(() => Number(random() < 0.1)),
  };
}

describe('dense targets', () => {
  const matrixOf = (flat: readonly number[], columns: number): number[][] =>
    Array.from({ length: flat.length / columns }, (_, r) =>
      flat.slice(r * columns, (r + 1) * columns),
    );

  for (const loss of lossNames) {
    for (const from of ['logits', 'probabilities'] as const) {
      for (const [dtype, dtypeOfTargets, columns] of [
        ['float32', 'float32', 112],
        ['float32', 'float64', 101],
        ['float64', 'float32', 101],
        ['float16', 'float32', 112],
        ['bfloat16', 'bfloat16', 101],
      ] as const) {
        const batch = batchOf(columns);
        const shape = [batch.rows, columns];
        const x = tensor(batch.inputs[from], shape, { dtype });
        const rowsOfX = matrixOf(numbers(x), columns);
        const spec = { loss, from, alpha: 0.25 } as const;
        const summed = (x: Tensor, rows: readonly number[][]) => {
          const y = tensor([...rows], undefined, { dtype: dtypeOfTargets });
          const criterion = criterionOf(spec, { reduction: 'sum' });
          const { loss: sum, grad } = criterion.valueAndGrad(x, y);
          return { sum: sum.item(), grad: numbers(grad) };
        };

        for (const [what, place, soft] of [
          ['nothing else', 0, undefined],
          ['0.375 at first', 0, 0.375],
          ['−1 in the second chunk', chunk + 50, -1],
        ] as const) {
          it(`${loss} ${from} ${dtype}, targets ${dtypeOfTargets}, ${what}`, async () => {
            const targets = isBinary(loss) ? batch.multiHot : batch.oneHot;
            const changed = [...targets];
            if (soft !== undefined) changed[place] = soft;
            const rowsOfY = matrixOf(changed, columns);
            const { value, grad, smallest } = tolerances[dtype];
            const { sum } = reference(spec, rowsOfX, rowsOfY);
            const slopes = gradientOfSum(spec, rowsOfX, rowsOfY).flat();
            for (const isa of cpu.isas) {
              await withIsa(isa, () => {
                const whole = summed(x, rowsOfY);
                expectClose([whole.sum], [sum], { relative: value });
                expectClose(whole.grad, slopes, { relative: grad, absolute: smallest });
                const apart = rowsOfX.flatMap(
                  (row, r) =>
                    summed(tensor(row, [1, columns], { dtype }), [rowsOfY[r] as number[]]).grad,
                );
                expectSame(whole.grad, apart);
              });
            }
          });
        }
      }

      it(`${loss} ${from}: rows that are one class like class ids, whatever the dtype`, () => {
        const { rows, inputs, ids, oneHot } = batchOf(101);
        const x = tensor(inputs[from], [rows, 101]);
        const weight = Array.from({ length: 101 }, (_, c) => 1 + c / 7);
        const criterion = criterionOf({ loss, from, weight });
        const call = (y: Tensor): number[] => {
          const { loss, grad } = criterion.valueAndGrad(x, y);
          return [loss.item(), ...numbers(grad)];
        };
        const expected = call(tensor(ids, [rows]));
        const floats = ['float32', 'float64', 'float16', 'bfloat16'] as const;
        for (const dtype of [...floats, 'int32', 'int64', 'uint8'] as const) {
          const y = tensor(oneHot, [rows, 101], { dtype });
          expectClose(call(y), expected, { relative: 1e-6, absolute: 1e-12 });
          expect(numbers(y), dtype).to.deep.equal(oneHot);
        }
      });
    }
  }
});
