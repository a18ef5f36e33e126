// Rows that no cache holds, which all threads share where there are few.
import { expect } from 'chai';
import { cpu, type Tensor, tensor } from 'culoss';
import { batchOf, criterionOf, lossNames, randomNumbers, tolerances } from './cases.mjs';
import { numbers } from './devices.mjs';
import { expectClose } from './expect.mjs';
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

  const categorical = lossNames.filter((name) => !isBinary(name));
  const kinds = ['ids', 'soft'] as const;
  const reductions = ['none', 'matrix'] as const;
  const calls = categorical.flatMap((loss) =>
    (['logits', 'probabilities'] as const).flatMap((from) =>
      kinds.flatMap((kind) => reductions.map((reduction) => ({ loss, from, kind, reduction }))),
    ),
  );
  for (const { loss, from, kind, reduction } of calls) {
    const name = `${loss} ${from} ${kind} ${reduction}`;
    it(`${name}: classes that are impossible change nothing, on any number of threads`, () => {
      const batch = batchOf([rows, few], from);
      const criterion = criterionOf({ loss, from }, { reduction });
      const short = criterion.valueAndGrad(
        tensor(batch.inputs),
        kind === 'ids' ? tensor(batch.ids) : tensor(batch.soft),
      );
      const longOf = (result: Tensor): number[] =>
        result.shape[1] === few
          ? Array.from(lengthen(result.arraySync() as number[][], 0))
          : numbers(result);
      const { value, grad } = tolerances.float32;

      const impossible = from === 'logits' ? Number.NEGATIVE_INFINITY : 0.25;
      const x = tensor(lengthen(batch.inputs, impossible), [rows, columns]);
      const y =
        kind === 'ids'
          ? tensor(batch.ids.map((id) => places[id] as number))
          : tensor(lengthen(batch.soft, 0), [rows, columns]);
      const run = (count: number) => {
        cpu.threads = count;
        const long = criterion.valueAndGrad(x, y);
        return [numbers(long.loss), numbers(long.grad)] as const;
      };
      const alone = run(1);
      expectClose(alone[0], longOf(short.loss), { relative: value });
      expectClose(alone[1], longOf(short.grad), { relative: grad, absolute: 1e-12 });
      for (const count of [2, 3, 8]) {
        const shared = run(count);
        for (const i of [0, 1] as const) expect(firstDifference(shared[i], alone[i])).to.equal(-1);
      }
    });
  }

  it('a row with NaN is NaN, and no other', () => {
    const filled = new Float32Array(rows * columns).map((_, i) => (i * 7919) % 10007);
    filled[2 * columns + 77_000] = Number.NaN;
    const x = tensor(filled, [rows, columns]);
    const ids = Int32Array.from({ length: rows }, (_, n) => n * 30_000);
    const criterion = criterionOf(
      { loss: 'CategoricalFocalLoss', from: 'logits' },
      { reduction: 'none' },
    );
    for (const count of [1, 3]) {
      cpu.threads = count;
      const { loss, grad } = criterion.valueAndGrad(x, tensor(ids));
      expect(numbers(loss).map(Number.isNaN)).to.deep.equal([false, false, true, false, false]);
      const slopes = grad.dataSync();
      for (let n = 0; n < rows; ++n) {
        const row = slopes.subarray(n * columns, (n + 1) * columns);
        expect(row.every(Number.isNaN), `row ${n}`).to.equal(n === 2);
        expect(row.some(Number.isNaN), `row ${n}`).to.equal(n === 2);
      }
    }
  });
});

function firstDifference(actual: readonly number[], expected: readonly number[]): number {
  return actual.findIndex((number, i) => !Object.is(number, expected[i]));
}
