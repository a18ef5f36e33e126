// Targets of every dtype and shape, what is ignored, and when a bad class id is reported.
import { expect } from 'chai';
import {
  type Device,
  type Dtype,
  type LossOptions,
  type Tensor,
  type TensorLike,
  tensor,
} from 'culoss';
import { criterionOf, floatDtypes, lossNames } from './cases.mjs';
import { numbers, onCuda, onDevices } from './devices.mjs';
import { expectError, expectSame } from './expect.mjs';
import { isBinary } from './reference.mjs';

const every = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8'] as const;
const p = [
  [0.125, 0.25, 0.5],
  [0.75, 0.125, 0.0625],
  [0.5, 0.375, 0.25],
  [0.25, 0.875, 0.625],
];
const ids = [2, 0, 1, 1];
const oneHot = ids.map((id) => [0, 1, 2].map((c) => Number(c === id)));

/** Loss and gradient as one list, by a criterion that writes every loss, over what was there. */
function all(
  loss: (typeof lossNames)[number],
  inputs: Tensor,
  targets: TensorLike,
  options: LossOptions = {},
): number[] {
  const filled = (): Tensor =>
    tensor(new Array(inputs.size).fill(7), inputs.shape, { device: inputs.device });
  const result = criterionOf({ loss }, { reduction: 'matrix', ...options }).valueAndGrad(
    inputs,
    targets,
    { out: filled(), outGrad: filled() },
  );
  return [...numbers(result.loss), ...numbers(result.grad)];
}

describe('targets', () => {
  for (const loss of lossNames) {
    for (const dtype of every) {
      onDevices(
        `${loss} targets ${dtype}, as class ids and dense, one of them ignored`,
        (device) => {
          const x = tensor(p, undefined, { device });
          const as = (values: number[] | number[][], type: Dtype = dtype) =>
            tensor(values, undefined, { dtype: type, device });
          expectSame(all(loss, x, as(ids)), all(loss, x, as(ids, 'int32')));
          expectSame(all(loss, x, as(oneHot)), all(loss, x, as(ids)));
          const mark = dtype === 'uint8' ? 255 : -100;
          const ignoring = { ignoreIndex: mark };
          const some = all(loss, x, as([2, mark, 1, 1]), ignoring);
          expectSame([...some.slice(3, 6), ...some.slice(15, 18)], [0, 0, 0, 0, 0, 0]);
          const masked = oneHot.map((row, n) =>
            n === 1 ? row.map(() => (isBinary(loss) ? mark : 0)) : row,
          );
          expectSame(all(loss, x, as(masked), ignoring), some);
          const filled = oneHot.map((row, n) => (n === 1 ? row.map(() => mark) : row));
          expectSame(all(loss, x, as(filled), ignoring), some);
          // An id in range is ignored as well.
          expectSame(all(loss, x, as(ids), { ignoreIndex: 0 }), some);
        },
      );
    }

    onDevices(`${loss} targets of every shape that has one id per row`, (device) => {
      const x = tensor(p, undefined, { device });
      const plain = all(loss, x, tensor(ids, [4], { device }));
      for (const shape of [
        [4, 1],
        [1, 4],
        [2, 2],
      ]) {
        expectSame(all(loss, x, tensor(ids, shape, { device })), plain);
      }
      // Two images of 1 × 2 pixels: the classes in the middle, or last.
      const image = [p.slice(0, 2), p.slice(2)].map((rows) =>
        [0, 1, 2].map((c) => [rows.map((row) => row[c] as number)]),
      );
      const front = tensor(image, undefined, { device });
      expect(front.shape).to.deep.equal([2, 3, 1, 2]);
      const last = tensor(p.flat(), [2, 1, 2, 3], { device });
      const none = (x: TensorLike, y: TensorLike, axis: number): number[] => {
        const { loss: values, grad } = criterionOf(
          { loss },
          { reduction: 'none', axis },
        ).valueAndGrad(x, y);
        const both = [numbers(values), numbers(grad)];
        return both.flatMap((flat) => flat.sort((a, b) => a - b));
      };
      const expected = none(x, tensor(ids, [4], { device }), 1);
      for (const shape of [[2, 1, 2], [2, 2], [2, 1, 1, 2], [4]]) {
        const y = tensor(ids, shape, { device });
        expectSame(none(front, y, 1), expected);
        expectSame(none(last, y, -1), expected);
      }
    });

    onDevices(`${loss} targets masked in dense, element by element or row by row`, (device) => {
      const mask = isBinary(loss)
        ? [
            [-1, 0, 1],
            [1, -1, -1],
            [0, 1, 0],
            [-1, -1, -1],
          ]
        : [
            [0, 0, 1],
            [0, 0, 0],
            [0, 1, 0],
            [0, 0, 0],
          ];
      const x = tensor(
        p.map((row, n) => (n === 3 ? row.map(() => Number.NaN) : row)),
        undefined,
        { device },
      );
      const y = tensor(mask, undefined, { dtype: 'float64', device });
      const options = { ignoreIndex: -1, labelSmoothing: 0.25 } as const;
      const sum = criterionOf({ loss }, { ...options, reduction: 'sum' }).valueAndGrad(x, y);
      expectSame(numbers(sum.grad).slice(9), [0, 0, 0]);
      for (const [normalizer, divisor] of [
        ['elements', 6],
        ['rows', isBinary(loss) ? 3 : 2],
        ['positives', isBinary(loss) ? 3 : 2],
      ] as const) {
        const mean = criterionOf({ loss }, { ...options, normalizer })
          .forward(x, y)
          .item();
        expect(mean, normalizer).to.be.closeTo(sum.loss.item() / divisor, 1e-6);
      }
    });
  }

  for (const loss of lossNames) {
    onDevices(`${loss} normalizer positives counts targets above 0, and at least 1`, (device) => {
      const x = tensor(p, undefined, { device });
      const divisor = (y: number[][]): number => {
        const targets = tensor(y, undefined, { dtype: 'float64', device });
        const of = (options: LossOptions): number =>
          criterionOf({ loss, alpha: 0.5 }, options).forward(x, targets).item();
        return of({ reduction: 'sum' }) / of({ normalizer: 'positives' });
      };
      const zeros = p.map((row) => row.map(() => 0));
      const one = [[0, 0.25, 0], ...zeros.slice(1)];
      expect(divisor(one)).to.be.closeTo(1, 1e-6);
      expect(divisor([[-1, 0.25, 3], [1, -0.5, 0], ...zeros.slice(2)])).to.be.closeTo(3, 1e-6);
      // Nothing is positive: a sum, not NaN, and 0 over no rows at all.
      const mean = (y: TensorLike, inputs: TensorLike = x): number =>
        criterionOf({ loss }, { normalizer: 'positives' }).forward(inputs, y).item();
      expect(mean(tensor(zeros, undefined, { dtype: 'float64', device }))).to.be.at.least(0);
      const nothing = tensor(new Float32Array(0), [0, 3], { device });
      expect(mean(tensor(new Int32Array(0), [0], { device }), nothing)).to.equal(0);
    });
  }

  for (const loss of lossNames) {
    onDevices(
      `${loss} targets without weight leave a gradient of 0, whatever else there is`,
      (device) => {
        for (const from of ['probabilities', 'logits'] as const) {
          const x = tensor([[Number.NaN, 0.5, 0.5], ...p.slice(1)], undefined, { device });
          const y = tensor(ids, [4], { device });
          const upstream = tensor([Number.NaN, ...Array(x.size - 1).fill(2)], x.shape, { device });
          const grads = (options: LossOptions, sampleWeight?: Tensor): number[] => {
            const criterion = criterionOf({ loss, from }, { reduction: 'matrix', ...options });
            const call = { gradOutput: upstream, ...(sampleWeight ? { sampleWeight } : {}) };
            return numbers(criterion.valueAndGrad(x, y, call).grad);
          };
          const mask = tensor([0, 1, 1, 1], [4], { device });
          for (const grad of [grads({}, mask), grads({ ignoreIndex: ids[0] as number })]) {
            expectSame(grad.slice(0, 3), [0, 0, 0]);
            expect(grad.slice(3).some((g) => g !== 0)).to.equal(true);
          }
        }
      },
    );
  }

  for (const [dtype, held, lost] of [
    ['float32', 16777216, 16777217],
    ['float16', 2050, 2049],
    ['float16', -65504, 65536],
    ['bfloat16', 1000, 999],
  ] as const) {
    it(`ignoreIndex ${lost} is refused for targets of ${dtype}, which round it`, () => {
      const criterion = (ignoreIndex: number) =>
        criterionOf({ loss: 'NegativeLogLoss' }, { ignoreIndex, reduction: 'sum' });
      const y = tensor([0, held, 1, 2], [4], { dtype });
      expect(criterion(held).forward(p, y).item()).to.be.greaterThan(0);
      expectError(
        () => criterion(lost).forward(p, y),
        'ERR_OPTION',
        RangeError,
        `options.ignoreIndex: expected an integer that targets of ${dtype} can hold, got ${lost}`,
      );
    });
  }

  onDevices('sample weights may be a mask of any dtype', (device) => {
    const x = tensor(p, undefined, { device });
    const y = tensor(ids, [4], { device });
    for (const dtype of every) {
      const sampleWeight = tensor([1, 0, 1, 0], [4], { dtype, device });
      const { loss, grad } = criterionOf({ loss: 'NegativeLogLoss' }).valueAndGrad(x, y, {
        sampleWeight,
      });
      expect(loss.item()).to.be.closeTo(-(Math.log(0.5) + Math.log(0.375)) / 4, 1e-6);
      expectSame(numbers(grad).map(Math.sign), [0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0]);
    }
  });

  for (const loss of lossNames) {
    for (const dtype of floatDtypes) {
      const x = tensor(p, undefined, { dtype });
      const bad = tensor(new Int32Array([0, 1, 3, 2]), [4]);
      const message = 'targets[2]: expected a class id in [0, 3), got 3';
      const call = (device: Device, validate: 'deferred' | 'eager' | 'off', out?: TensorLike) =>
        criterionOf({ loss }, { validate, reduction: 'none' }).valueAndGrad(
          x.to(device),
          bad.to(device),
          out ? { outGrad: out } : {},
        );
      const expectRangeError = (run: () => unknown): void =>
        expectError(run, 'ERR_TARGET_RANGE', RangeError, message);

      for (const validate of ['deferred', 'eager', 'off'] as const) {
        it(`${loss} validate ${validate} ${dtype} throws at once on the CPU`, () => {
          const outGrad = tensor(p, undefined, { dtype });
          expectRangeError(() => call('cpu', validate, outGrad));
          expect(outGrad.arraySync()).to.deep.equal(x.arraySync());
        });
      }
      onCuda(`${loss} validate deferred ${dtype} throws at the next read cuda:0`, () => {
        const { loss } = call('cuda:0', 'deferred');
        expectRangeError(() => loss.dataSync());
      });
      onCuda(`${loss} validate eager ${dtype} throws at once cuda:0`, () => {
        expectRangeError(() => call('cuda:0', 'eager'));
      });
      onCuda(
        `${loss} validate off ${dtype} counts a bad id nowhere, ignoring others or not cuda:0`,
        () => {
          const mean = (options: LossOptions): number =>
            criterionOf({ loss }, { validate: 'off', normalizer: 'rows', ...options })
              .forward(x.to('cuda:0'), bad.to('cuda:0'))
              .item();
          const sum = mean({ normalizer: 1 });
          expect(mean({})).to.be.closeTo(sum / 3, 1e-6);
          expect(mean({ ignoreIndex: -100 })).to.equal(mean({}));
        },
      );
      onCuda(`${loss} validate off ${dtype} leaves loss and gradient of the row 0 cuda:0`, () => {
        const { loss, grad } = call('cuda:0', 'off');
        const zeros = (flat: number[]): boolean[] => {
          const width = flat.length / 4;
          return [0, 1, 2, 3].map((r) =>
            flat.slice(r * width, (r + 1) * width).every((v) => v === 0),
          );
        };
        expect(zeros(numbers(loss))).to.deep.equal([false, false, true, false]);
        expect(zeros(numbers(grad))).to.deep.equal([false, false, true, false]);
      });
    }
  }

  onDevices('targets of more packs than a launch has threads, wherever memory begins', (device) => {
    const rows = 180_300;
    const y = tensor(new Int32Array(rows).fill(2), [rows], { device });
    const x = tensor(new Float64Array(3 * rows).fill(0.25), [rows, 3], { device });
    const { loss, grad } = criterionOf({ loss: 'BinaryCrossEntropy' }, { reduction: 'sum' }) //
      .valueAndGrad(x, y);
    expect(loss.item() / (rows * (Math.log(4) + 2 * Math.log(4 / 3)))).to.be.closeTo(1, 1e-12);
    const slopes = numbers(grad);
    const wrong = slopes.filter((slope, i) => Math.abs(slope - (i % 3 === 2 ? -4 : 4 / 3)) > 1e-12);
    expect(wrong).to.deep.equal([]);
  });
});
