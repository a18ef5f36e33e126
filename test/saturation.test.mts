// Inputs at the ends of what a model can say: probabilities of 0 and 1, logits of ±30 to ±1000 and
// beyond. Exact where PyTorch gives NaN, and finite wherever the formula is.
import { expect } from 'chai';
import { type Tensor, tensor } from 'culoss';
import { criterionOf, floatDtypes, lossNames, tolerances } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { gradientOfSum, isBinary, isFocal, reference, type Spec } from './reference.mjs';

const gammas = [0, 0.5, 1, 2, 3.7];
const specs: Spec[] = lossNames.flatMap((loss) =>
  isFocal(loss) ? gammas.map((gamma) => ({ loss, gamma })) : [{ loss }],
);
const titleOf = ({ loss, gamma }: Spec): string =>
  gamma === undefined ? loss : `${loss} gamma=${gamma}`;
const extremes = [0, 1, 30, 100, 1000];

describe('saturation', () => {
  for (const spec of specs) {
    for (const dtype of floatDtypes) {
      onDevices(`${titleOf(spec)} saturation ${dtype} logits`, (device) => {
        const values = [...extremes, ...extremes.map((x) => -x)];
        const logits = values.flatMap((x) => [
          [x, 0, -x / 3],
          [-1, x, x],
        ]);
        for (const target of [0, 1, 2]) {
          const inputs = tensor(logits, undefined, { dtype, device });
          const rounded = inputs.arraySync() as number[][];
          const oneHot = logits.map((row) => row.map((_, c) => Number(c === target)));
          const logitSpec: Spec = { ...spec, from: 'logits' };
          const { loss, grad } = criterionOf(logitSpec, { reduction: 'none' }).valueAndGrad(
            inputs,
            tensor(
              logits.map(() => target),
              undefined,
              { device },
            ),
          );
          const { rows, matrix } = reference(logitSpec, rounded, oneHot);
          const expected = isBinary(spec.loss) ? matrix.flat() : rows;
          expectClose(numbers(loss), expected, { relative: 2e-5, absolute: 1e-36 });
          const slopes = gradientOfSum(logitSpec, rounded, oneHot).flat();
          const { grad: relative, smallest: absolute } = tolerances[dtype];
          expectClose(numbers(grad), slopes, { relative, absolute });
        }
      });

      onDevices(`${titleOf(spec)} saturation ${dtype} probabilities`, (device) => {
        const rowsOfInputs = [
          [0, 1, 0.5],
          [1, 0, 1],
          [0.0009765625, 0.99609375, 1],
        ];
        for (const clamp of [undefined, null]) {
          const clampSpec: Spec = clamp === null ? { ...spec, clamp } : spec;
          for (const target of [0, 1, 2]) {
            const oneHot = rowsOfInputs.map((row) => row.map((_, c) => Number(c === target)));
            const inputs = tensor(rowsOfInputs, undefined, { dtype, device });
            const y = tensor(oneHot, undefined, { device });
            const { loss, grad } = criterionOf(clampSpec, { reduction: 'sum' }).valueAndGrad(
              inputs,
              y,
            );
            const { value, grad: relative, smallest: absolute, largest } = tolerances[dtype];
            const expected = reference(clampSpec, rowsOfInputs, oneHot).sum;
            expectClose([loss.item()], [expected], { relative: value });
            const slopes = gradientOfSum(clampSpec, rowsOfInputs, oneHot).flat();
            const stored = slopes.map((g) =>
              Number.isFinite(g) ? Math.max(-largest, Math.min(g, largest)) : g,
            );
            expectClose(numbers(grad), stored, { relative, absolute });
          }
        }
      });
    }

    onDevices(`${titleOf(spec)} saturation is the limit where the model is right`, (device) => {
      const { loss, grad } = criterionOf(spec, { clamp: null }).valueAndGrad(
        tensor([[1, 0]], undefined, { device }),
        tensor([[1, 0]], undefined, { device, dtype: 'float64' }),
      );
      expect(loss.item()).to.equal(0);
      const slope = spec.gamma === undefined || spec.gamma === 0 ? 1 : 0;
      const expected = isBinary(spec.loss) ? [-slope / 2, slope / 2] : [-slope, 0];
      expectSame(numbers(grad), expected);
    });

    onDevices(`${titleOf(spec)} saturation NaN stays in its row`, (device) => {
      for (const from of ['probabilities', 'logits'] as const) {
        const { loss, grad } = criterionOf({ ...spec, from }, { reduction: 'none' }).valueAndGrad(
          tensor(
            [
              [0.5, 0.25],
              [Number.NaN, 0.5],
              [0.75, 0.5],
            ],
            undefined,
            { device },
          ),
          tensor(new Int32Array([0, 0, 1]), [3], { device }),
        );
        const rowsOf = (flat: number[]): boolean[] => {
          const width = flat.length / 3;
          return [0, 1, 2].map((n) => flat.slice(n * width, (n + 1) * width).some(Number.isNaN));
        };
        expect(rowsOf(numbers(loss))).to.deep.equal([false, true, false]);
        expect(rowsOf(numbers(grad))).to.deep.equal([false, true, false]);
      }
    });
  }

  for (const loss of lossNames.filter(isFocal)) {
    for (const from of ['probabilities', 'logits'] as const) {
      onDevices(`${loss} gamma 0 is the log loss bit for bit ${from}`, (device) => {
        const plain = isBinary(loss) ? 'BinaryCrossEntropy' : 'NegativeLogLoss';
        const x = tensor(
          [
            [0.1, 0.7, 1],
            [0.002, 0, 0.3],
          ],
          undefined,
          { device },
        );
        const y = tensor(
          [
            [0, 1, 0.5],
            [1, 0, 0.25],
          ],
          undefined,
          { device },
        );
        const focal = criterionOf({ loss, gamma: 0, from }).valueAndGrad(x, y);
        const log = criterionOf({ loss: plain, from }).valueAndGrad(x, y);
        expectSame([focal.loss.item()], [log.loss.item()]);
        expectSame(numbers(focal.grad), numbers(log.grad));
      });
    }
  }

  onDevices(
    "BinaryCrossEntropy floors are PyTorch's where the model is certain and wrong",
    (device) => {
      const criterion = criterionOf(
        { loss: 'BinaryCrossEntropy' },
        { clamp: null, reduction: 'none' },
      );
      const { loss, grad } = criterion.valueAndGrad(
        tensor([[1, 0]], undefined, { device, dtype: 'float64' }),
        tensor([[0, 1]], undefined, { device, dtype: 'float64' }),
      );
      expectSame(numbers(loss), [100, 100]);
      expectSame(numbers(grad), [1e12, -1e12]);
    },
  );

  for (const [dtype, largest] of [
    ['float16', tolerances.float16.largest],
    ['bfloat16', 1e12],
  ] as const) {
    onDevices(`BinaryFocalLoss overflow is stored as the largest finite ${dtype}`, (device) => {
      const { grad } = criterionOf({ loss: 'BinaryFocalLoss' }).valueAndGrad(
        tensor([[1]], undefined, { device, dtype }),
        tensor([[0]], undefined, { device }),
      );
      expectClose(numbers(grad), [largest], { relative: 2 ** -8 });
    });
  }

  for (const from of ['probabilities', 'logits'] as const) {
    onDevices(
      `${from}: what has no weight has a gradient of 0, whatever comes from behind`,
      (device) => {
        const columns = 40;
        const inputs = tensor(new Float32Array(2 * columns).fill(0.25), [2, columns], { device });
        const ids = tensor(new Int32Array([0, columns - 1]), [2], { device });
        for (const loss of lossNames.filter(isBinary)) {
          const criterion = criterionOf({ loss, from, alpha: 1 }, { reduction: 'sum' });
          for (const upstream of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
            const gradOutput = tensor([upstream], undefined, { device });
            const slopes = numbers(criterion.valueAndGrad(inputs, ids, { gradOutput }).grad);
            const [first, last] = [slopes.shift(), slopes.pop()];
            expectSame([first, last] as number[], [-upstream, -upstream]);
            expect(new Set(slopes.map(Math.abs)), `${loss} ${upstream}`).to.deep.equal(
              new Set([0]),
            );
          }
        }
      },
    );
  }

  onDevices(
    'a target masked with -Infinity has the same gradient as an id and as one-hot',
    (device) => {
      for (const loss of ['NegativeLogLoss', 'CategoricalFocalLoss'] as const) {
        const x = tensor([[1, Number.NEGATIVE_INFINITY, 0]], undefined, { device });
        const criterion = criterionOf({ loss, from: 'logits' });
        const [id, oneHot] = [new Int32Array([1]), [[0, 1, 0]]].map((y) =>
          criterion.valueAndGrad(x, y instanceof Int32Array ? tensor(y, [1], { device }) : y),
        );
        expect(id?.loss.item()).to.equal(Number.POSITIVE_INFINITY);
        const slopes = numbers(id?.grad as Tensor);
        expectClose(slopes, [1 / (1 + Math.exp(-1)), -1, 1 / (1 + Math.E)], { relative: 1e-6 });
        expectClose(numbers(oneHot?.grad as Tensor), slopes, { relative: 1e-6 });
      }
    },
  );

  onDevices(
    'CategoricalFocalLoss a class masked with -Infinity has probability and gradient 0',
    (device) => {
      const criterion = criterionOf(
        { loss: 'CategoricalFocalLoss', from: 'logits' },
        { reduction: 'none' },
      );
      const none = Number.NEGATIVE_INFINITY;
      const { loss, grad } = criterion.valueAndGrad(
        tensor(
          [
            [1, none, 2],
            [none, none, none],
          ],
          undefined,
          { device },
        ),
        tensor(new Int32Array([0, 0]), [2], { device }),
      );
      const two = criterion.valueAndGrad(
        tensor([[1, 2]], undefined, { device }),
        tensor(new Int32Array([0]), [1], { device }),
      );
      const [g0, g1] = numbers(two.grad) as [number, number];
      expectSame(numbers(loss), [two.loss.arraySync() as never, Number.NaN].flat());
      expectSame(numbers(grad), [g0, 0, g1, Number.NaN, Number.NaN, Number.NaN]);
    },
  );

  onDevices(
    'NegativeLogLoss a masked class that smoothing asks for has an infinite loss',
    (device) => {
      const options = { loss: 'NegativeLogLoss', from: 'logits', labelSmoothing: 0.1 } as const;
      const x = tensor([[1, Number.NEGATIVE_INFINITY, 0]], undefined, { device });
      const y = tensor(new Int32Array([0]), [1], { device });
      const { loss, grad } = criterionOf(options).valueAndGrad(x, y);
      expect(loss.item()).to.equal(Number.POSITIVE_INFINITY);
      expectClose([numbers(grad)[1] as number], [-0.1 / 3], { relative: 1e-6 });
    },
  );

  for (const order of ['ascending', 'descending'] as const) {
    onDevices(`NegativeLogLoss a row of 32000 ${order} logits loses no digits`, (device) => {
      const row = Array.from({ length: 32000 }, (_, c) => c * 2 ** -13);
      if (order === 'descending') row.reverse();
      const criterion = criterionOf({ loss: 'NegativeLogLoss', from: 'logits' });
      const run = (dtype: 'float32' | 'float64') =>
        criterion.valueAndGrad(
          tensor(row, [1, row.length], { dtype, device }),
          tensor(new Int32Array([7]), [1], { device }),
        );
      const [narrow, wide] = [run('float32'), run('float64')];
      expectClose([narrow.loss.item()], [wide.loss.item()], { relative: 3e-6 });
      expectClose(numbers(narrow.grad), numbers(wide.grad), { relative: 2e-6 });
    });
  }

  onDevices('the gradient is 0 beyond the clamp and passes at its bounds', (device) => {
    const criterion = criterionOf(
      { loss: 'NegativeLogLoss', clamp: [0.25, 0.75] },
      { reduction: 'sum' },
    );
    const p = [0.125, 0.25, 0.5, 0.75, 0.875];
    const { loss, grad } = criterion.valueAndGrad(
      tensor(
        p.map((x) => [x]),
        undefined,
        { device, dtype: 'float64' },
      ),
      tensor(new Int32Array(5), [5], { device }),
    );
    const clamped = [0.25, 0.25, 0.5, 0.75, 0.75];
    expectClose([loss.item()], [-clamped.map(Math.log).reduce((a, b) => a + b)], {
      relative: 1e-14,
    });
    expectSame(numbers(grad), [0, -4, -2, -1 / 0.75, 0]);
  });

  onDevices(
    'weights and an upstream gradient whose product is no number leave a gradient',
    (device) => {
      const criterion = (from: Spec['from']) =>
        criterionOf({ loss: 'BinaryCrossEntropy', from, posWeight: 1e25 }, { reduction: 'sum' });
      const slopeOf = (from: Spec['from'], input: number): number => {
        const x = tensor([[input, 0.5, 0.5]], undefined, { device });
        const y = tensor([0], undefined, { device });
        return numbers(criterion(from).valueAndGrad(x, y, { gradOutput: 1e20 }).grad)[0] as number;
      };
      expect(Math.abs(slopeOf('probabilities', 0.0005))).to.equal(0); // the clamp acts
      expectClose([slopeOf('logits', 75)], [-1e45 * Math.exp(-75)], { relative: 2e-5 });
    },
  );

  it('losses that are finite have a finite mean', () => {
    const logits = tensor(new Float32Array(128).fill(2e38), [2, 64]);
    const none = tensor(new Uint8Array(128), [2, 64]);
    const criterion = criterionOf({ loss: 'BinaryCrossEntropy', from: 'logits' });
    expectClose([criterion.forward(logits, none).item()], [2e38], { relative: 1e-6 });
  });
});
