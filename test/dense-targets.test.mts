// Dense targets where the CPU engine has a shorter way: rows that are one class, and elements of
// which one outcome counts.
import { expect } from 'chai';
import { cpu, type Tensor, tensor } from 'culoss';
import { criterionOf, lossNames, randomNumbers } from './cases.mjs';
import { numbers, withIsa } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { gradientOfSum, isBinary, reference } from './reference.mjs';

describe('dense targets', () => {
  const [rows, columns] = [67, 101];
  const random = randomNumbers(5);
  const draw = (of: () => number): number[] => Array.from({ length: rows * columns }, of);
  const inputs = {
    logits: draw(() => Math.fround(16 * random() - 8)),
    probabilities: draw(() => Math.fround(random())),
  };
  const ids = Array.from({ length: rows }, (_, r) => (r * 31) % columns);
  const oneHot = ids.flatMap((id) => Array.from({ length: columns }, (_, c) => Number(c === id)));
  const multiHot = draw(() => Number(random() < 0.1));
  const matrixOf = (flat: number[]): number[][] =>
    ids.map((_, r) => flat.slice(r * columns, (r + 1) * columns));
  const close = { relative: 2e-6, absolute: 1e-9 };
  const near = { relative: 2e-5, absolute: 1e-6 };

  for (const loss of lossNames) {
    for (const from of ['logits', 'probabilities'] as const) {
      const x = inputs[from];

      for (const dtype of ['float32', 'float64'] as const) {
        const summed = (x: number[], y: number[]) => {
          const criterion = criterionOf({ loss, from, alpha: 0.25 }, { reduction: 'sum' });
          const shape = [x.length / columns, columns];
          const targets = tensor(y, shape, { dtype });
          const { loss: sum, grad } = criterion.valueAndGrad(tensor(x, shape), targets);
          return { sum: sum.item(), grad: numbers(grad) };
        };
        for (const place of [null, 0, 1500, 3000, rows * columns - 1]) {
          const which = place === null ? 'none soft' : `${place} soft`;
          for (const isa of cpu.isas) {
            it(`${loss} ${from}, ${dtype}, ${which}: each row as by itself ${isa}`, () =>
              withIsa(isa, () => {
                const y = isBinary(loss) ? [...multiHot] : [...oneHot];
                if (place !== null) y[place] = 0.375;
                const whole = summed(x, y);
                const spec = { loss, from, alpha: 0.25 } as const;
                const [inputs, targets] = [matrixOf(x), matrixOf(y)];
                expectClose([whole.sum], [reference(spec, inputs, targets).sum], near);
                expectClose(whole.grad, gradientOfSum(spec, inputs, targets).flat(), near);
                const apart = inputs.map((row, r) => summed(row, targets[r] as number[]));
                const grad = apart.flatMap((row) => row.grad);
                if (isBinary(loss)) expectSame(whole.grad, grad);
                else expectClose(whole.grad, grad, close);
              }));
          }
        }
      }

      it(`${loss} ${from}: rows that are one class like class ids, whatever the dtype`, () => {
        const criterion = criterionOf({ loss, from }, { reduction: 'none' });
        const call = (y: Tensor) => criterion.valueAndGrad(tensor(x, [rows, columns]), y);
        const expected = call(tensor(ids, [rows]));
        const floats = ['float32', 'float64', 'float16', 'bfloat16'] as const;
        for (const dtype of [...floats, 'int32', 'int64', 'uint8'] as const) {
          const y = tensor(oneHot, [rows, columns], { dtype });
          expectClose(numbers(call(y).grad), numbers(expected.grad), close);
          expect(numbers(y), dtype).to.deep.equal(oneHot);
        }
      });
    }
  }
});
