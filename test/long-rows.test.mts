// Rows that no cache holds, which all threads share where there are few.
import { expect } from 'chai';
import { cpu, tensor } from 'culoss';
import { batchOf, criterionOf, lossNames, randomNumbers, tolerances } from './cases.mjs';
import { numbers } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { isBinary } from './reference.mjs';

describe('long rows', () => {
  const threads = cpu.threads;
  afterEach(() => {
    cpu.threads = threads;
  });

  // One thread has enough of 5 rows; more share each of them.
  const [rows, few, columns] = [5, 100, 140_003] as const;
  const random = randomNumbers(3);
  const gap = Math.floor(columns / few);
  /** Where a column of a short row is in a long one. */
  const places = Array.from({ length: few }, (_, c) => c * gap + Math.floor(random() * gap));

  function lengthen(short: readonly number[][], beside: number): Float32Array {
    const long = new Float32Array(rows * columns).fill(beside);
    short.forEach((row, n) => {
      row.forEach((number, c) => {
        long[n * columns + (places[c] as number)] = number;
      });
    });
    return long;
  }

  for (const loss of lossNames.filter((name) => !isBinary(name))) {
    for (const kind of ['ids', 'soft'] as const) {
      it(`${loss} ${kind}: classes that are impossible change nothing, on any number of threads`, () => {
        const batch = batchOf([rows, few], 'logits');
        const criterion = criterionOf({ loss, from: 'logits' }, { reduction: 'none' });
        const short = criterion.valueAndGrad(
          tensor(batch.inputs),
          kind === 'ids' ? tensor(batch.ids) : tensor(batch.soft),
        );
        const expected = lengthen(short.grad.arraySync() as number[][], 0);
        const { value, grad } = tolerances.float32;

        const x = tensor(lengthen(batch.inputs, Number.NEGATIVE_INFINITY), [rows, columns]);
        const y =
          kind === 'ids'
            ? tensor(batch.ids.map((id) => places[id] as number))
            : tensor(lengthen(batch.soft, 0), [rows, columns]);
        const run = (count: number) => {
          cpu.threads = count;
          const long = criterion.valueAndGrad(x, y);
          return { losses: numbers(long.loss), slopes: numbers(long.grad) };
        };
        const alone = run(1);
        expectClose(alone.losses, numbers(short.loss), { relative: value });
        expectClose(alone.slopes, Array.from(expected), { relative: grad, absolute: 1e-12 });
        for (const count of [2, 3, 8]) {
          const shared = run(count);
          expectSame(shared.losses, alone.losses);
          expect(
            shared.slopes.findIndex((slope, i) => !Object.is(slope, alone.slopes[i])),
          ).to.equal(-1);
        }
      });
    }
  }
});
