// Outputs of the caller's: written whole, never beyond their ends, and not at all by a failed call.
import { expect } from 'chai';
import { type Criterion, cuda, type Tensor, tensor } from 'culoss';
import { batchOf, criterionOf, floatDtypes, lossNames } from './cases.mjs';
import { numbers, onCuda, onDevices } from './devices.mjs';
import { expectError, expectSame } from './expect.mjs';

const shape = [33, 5] as const;
const guard = 64;

/** A tensor inside a larger array whose other elements hold a pattern. */
function guarded(like: Tensor): { output: Tensor; ends: () => number[] } {
  const Data = like.dataSync().constructor as Float32ArrayConstructor;
  const memory = new Data(like.size + 2 * guard).fill(77);
  const output = tensor(memory.subarray(guard, guard + like.size), like.shape, {
    dtype: like.dtype,
  });
  return {
    output,
    ends: () => [...memory.subarray(0, guard), ...memory.subarray(guard + like.size)],
  };
}

/** Bytes that a call has at once, beyond outputs that are there, and gives back. */
async function extraMemory(criterion: Criterion, x: Tensor, targets: Tensor): Promise<number> {
  // The first call moves what the criterion keeps.
  const { loss: out, grad: outGrad } = criterion.valueAndGrad(x, targets);
  await cuda.synchronize();
  cuda.resetPeakMemory();
  const before = cuda.memory().allocated;
  criterion.valueAndGrad(x, targets, { out, outGrad });
  await cuda.synchronize();
  const { allocated, peak } = cuda.memory();
  expect(allocated).to.be.at.most(before);
  for (const output of [out, outGrad]) output.dispose();
  return peak - before;
}

describe('memory', () => {
  for (const loss of lossNames) {
    for (const dtype of floatDtypes) {
      for (const reduction of ['mean', 'sum', 'none', 'matrix'] as const) {
        it(`${loss} memory ${dtype} ${reduction} out and outGrad hold the result and nothing beyond`, () => {
          for (const from of ['probabilities', 'logits'] as const) {
            const { inputs, ids, soft } = batchOf(shape, from);
            const x = tensor(inputs, undefined, { dtype });
            const criterion = criterionOf({ loss, from }, { reduction });
            for (const targets of [ids, soft]) {
              const expected = criterion.valueAndGrad(x, targets);
              const out = guarded(expected.loss);
              const outGrad = guarded(expected.grad);
              const got = criterion.valueAndGrad(x, targets, {
                out: out.output,
                outGrad: outGrad.output,
              });
              expect(got.loss).to.equal(out.output);
              expect(got.grad).to.equal(outGrad.output);
              expectSame(numbers(got.loss), numbers(expected.loss));
              expectSame(numbers(got.grad), numbers(expected.grad));
              expect(new Set([...out.ends(), ...outGrad.ends()])).to.deep.equal(new Set([77]));
            }
          }
        });
      }
    }

    onDevices(`${loss} memory out and outGrad are written where they are`, (device) => {
      for (const dtype of floatDtypes) {
        for (const reduction of ['mean', 'none', 'matrix'] as const) {
          const { inputs, ids } = batchOf(shape, 'logits');
          const x = tensor(inputs, undefined, { dtype, device });
          const y = tensor(new Int32Array(ids), [ids.length], { device });
          const criterion = criterionOf({ loss, from: 'logits' }, { reduction });
          const expected = criterion.valueAndGrad(x, y);
          const filled = (like: Tensor): Tensor =>
            tensor(new Array(like.size).fill(77), like.shape, { dtype: like.dtype, device });
          const [out, outGrad] = [filled(expected.loss), filled(expected.grad)];
          const got = criterion.valueAndGrad(x, y, { out, outGrad });
          expect([got.loss, got.grad]).to.deep.equal([out, outGrad]);
          expectSame(numbers(out), numbers(expected.loss));
          expectSame(numbers(outGrad), numbers(expected.grad));
        }
      }
    });

    onDevices(`${loss} memory forward and valueAndGrad agree`, (device) => {
      const { inputs, soft } = batchOf(shape, 'logits');
      const x = tensor(inputs, undefined, { device });
      const y = tensor(soft, undefined, { device });
      for (const reduction of ['mean', 'sum', 'none', 'matrix'] as const) {
        const criterion = criterionOf({ loss, from: 'logits' }, { reduction });
        expectSame(numbers(criterion.forward(x, y)), numbers(criterion.valueAndGrad(x, y).loss));
      }
    });

    it(`${loss} memory a failed call leaves the outputs as they were`, () => {
      const { inputs, ids } = batchOf(shape, 'probabilities');
      const grad = new Float32Array(33 * 5).fill(5);
      const value = new Float32Array(1).fill(5);
      ids[32] = 5;
      const outputs = { out: value, outGrad: tensor(grad, shape) };
      expectError(
        () => criterionOf({ loss }).valueAndGrad(inputs, ids, outputs),
        'ERR_TARGET_RANGE',
        RangeError,
        'targets[32]: expected a class id in [0, 5), got 5',
      );
      expect([...grad, ...value].every((x) => x === 5)).to.equal(true);
    });
  }

  for (const loss of lossNames) {
    const title = 'extra memory of a call: none of size N×C beyond the outputs';
    onCuda(`${loss} ${title} cuda:0`, async () => {
      const [rows, columns] = [64, 1024];
      const extra: number[] = [];
      for (const from of ['probabilities', 'logits'] as const) {
        const { inputs, ids, soft } = batchOf([rows, columns], from);
        for (const dtype of ['float32', 'bfloat16'] as const) {
          using x = tensor(inputs, undefined, { dtype }).cuda();
          using classIds = tensor(new Int32Array(ids), [rows]).cuda();
          using dense = tensor(soft, undefined, { dtype }).cuda();
          for (const reduction of ['mean', 'matrix'] as const) {
            const criterion = criterionOf({ loss, from, alpha: 0.5 }, { reduction });
            extra.push(await extraMemory(criterion, x, classIds));
            extra.push(await extraMemory(criterion, x, dense));
          }
        }
      }
      const most = Math.max(...extra);
      expect(most).to.be.greaterThan(0);
      expect(most, 'a byte for each element').to.be.lessThan(rows * columns);
      return `at most ${most} bytes for ${rows} × ${columns} elements`;
    });
  }

  it('plain typed arrays are written in place, whatever the shape', () => {
    for (const loss of lossNames) {
      for (const dtype of ['float32', 'float16'] as const) {
        const { inputs, ids } = batchOf(shape, 'probabilities');
        const x = tensor(inputs, undefined, { dtype });
        const criterion = criterionOf({ loss }, { reduction: 'matrix' });
        const expected = criterion.valueAndGrad(x, ids);
        const out = new Float32Array(x.size);
        const outGrad = dtype === 'float16' ? new Uint16Array(x.size) : new Float32Array(x.size);
        criterion.valueAndGrad(x, ids, { out, outGrad });
        expectSame([...out], [...expected.loss.dataSync()].map(Number));
        expect([...outGrad]).to.deep.equal([...expected.grad.dataSync()]);
      }
    }
  });

  it('a plain typed array with a shape beside it is written in place', () => {
    const grad = new Float32Array(4);
    const out = new Float32Array(1);
    const criterion = criterionOf({ loss: 'BinaryCrossEntropy', from: 'logits' });
    criterion.valueAndGrad(
      [
        [0, 0],
        [0, 0],
      ],
      [0, 1],
      { out, outGrad: { data: grad, shape: [2, 2] } },
    );
    expectSame([...grad], [-0.125, 0.125, 0.125, -0.125]);
    expect(out[0]).to.be.closeTo(Math.LN2, 1e-7);
  });

  it('inputs in a SharedArrayBuffer are read in place', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    const x = tensor(shared, [1, 2]);
    shared.set([0.5, 0.5]);
    const loss = criterionOf({ loss: 'NegativeLogLoss' }).forward(x, [1]);
    expect(loss.item()).to.be.closeTo(Math.LN2, 1e-7);
  });

  it('a detached buffer is an error', () => {
    const data = new Float32Array([0.5, 0.5]);
    const x = tensor(data, [1, 2]);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    expectError(
      () => criterionOf({ loss: 'NegativeLogLoss' }).forward(x, [1]),
      'ERR_SHAPE',
      RangeError,
      'inputs: expected 8 bytes of memory, got 0 (was its buffer detached or shrunk?)',
    );
  });

  it('a shrunken buffer is an error', () => {
    const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
    const buffer = new Resizable(400, { maxByteLength: 800 });
    const x = tensor(new Float32Array(buffer), [50, 2]);
    (buffer as unknown as { resize(size: number): void }).resize(8);
    expectError(
      () => criterionOf({ loss: 'NegativeLogLoss' }).forward(x, new Int32Array(50)),
      'ERR_SHAPE',
      RangeError,
      /^inputs: expected 400 bytes of memory, got 8/,
    );
  });

  it('a tensor over a buffer that grew has the elements it had', () => {
    const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
    const buffer = new Resizable(16, { maxByteLength: 64 });
    const data = new Float32Array(buffer);
    data.set([1, 2, 3, 4]);
    const x = tensor(data, [2, 2]);
    (buffer as unknown as { resize(size: number): void }).resize(32);
    expect(x.arraySync()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
    expect(x.dataSync()).to.have.length(4);
  });

  it('outputs that overlap through another object over the same shared memory are refused', () => {
    const shared = new SharedArrayBuffer(64);
    const x = tensor(new Float32Array(shared, 0, 4).fill(0.5), [2, 2]);
    const outGrad = tensor(new Float32Array(structuredClone(shared), 4, 4), [2, 2]);
    expectError(
      () => criterionOf({ loss: 'BinaryCrossEntropy' }).valueAndGrad(x, [0, 1], { outGrad }),
      'ERR_OPTION',
      RangeError,
      'outGrad: expected memory of its own, got memory that it shares with inputs',
    );
  });

  it('outputs that overlap what is read, or each other, are refused', () => {
    const memory = new Float32Array(16).fill(0.5);
    const x = tensor(memory.subarray(0, 4), [2, 2]);
    const criterion = criterionOf({ loss: 'BinaryCrossEntropy' });
    const shift = { data: memory.subarray(3, 7), shape: [2, 2] };
    expectError(
      () => criterion.valueAndGrad(x, [0, 1], { outGrad: shift }),
      'ERR_OPTION',
      RangeError,
      'outGrad: expected memory of its own, got memory that it shares with inputs',
    );
    const beside = { data: memory.subarray(4, 8), shape: [2, 2] };
    expectError(
      () => criterion.valueAndGrad(x, [0, 1], { outGrad: beside, out: memory.subarray(7, 8) }),
      'ERR_OPTION',
      RangeError,
      'outGrad: expected memory of its own, got memory that it shares with out',
    );
    criterion.valueAndGrad(x, [0, 1], { outGrad: beside, out: memory.subarray(8, 9) });
    expect(memory[3]).to.equal(0.5);
  });
});
