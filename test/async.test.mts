// The async forms: what they give, what they refuse, and what may happen while they are under way.
import { expect } from 'chai';
import { BinaryFocalLoss, cpu, type Isa, type Tensor, type TensorLike, tensor } from 'culoss';
import { batchOf, criterionOf, lossNames } from './cases.mjs';
import { itUnless, numbers, onDevices, withIsa } from './devices.mjs';
import { expectClose, expectRejection, expectSame } from './expect.mjs';

const criterion = new BinaryFocalLoss();

/** Probabilities and ids of a call that takes some milliseconds. */
const [rows, columns] = [20_000, 200] as const;
const p = () => new Float32Array(rows * columns).fill(0.3);
const x = tensor(p(), [rows, columns]);
const y = tensor(new Int32Array(rows), [rows]);
const loss = criterion.forward(x, y).item();

/** A tensor like another one that holds something else. */
const sevens = (like: Tensor): Tensor => {
  const made = tensor(new Float32Array(like.size).fill(7), like.shape);
  return made.to(like.device);
};

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => error,
  );

describe('async', () => {
  const threads = cpu.threads;
  afterEach(() => {
    cpu.threads = threads;
  });

  for (const name of lossNames) {
    for (const from of ['probabilities', 'logits'] as const) {
      onDevices(`async ${name} ${from} gives the bits of the other forms`, async (device) => {
        for (const reduction of ['mean', 'none', 'matrix'] as const) {
          const { inputs, ids, soft } = batchOf([67, 70], from);
          const each = criterionOf({ loss: name, from, alpha: 0.25 }, { reduction });
          const on = tensor(inputs).to(device);
          for (const labels of [tensor(ids).to(device), tensor(soft).to(device)]) {
            const same = each.valueAndGrad(on, labels, { gradOutput: 3 });
            for (const copy of [false, true]) {
              const [out, outGrad] = [sevens(same.loss), sevens(same.grad)];
              const options = { gradOutput: 3, copy, out, outGrad };
              const got = await each.valueAndGradAsync(on, labels, options);
              expect([got.loss, got.grad]).to.have.ordered.members([out, outGrad]);
              expectSame(numbers(out), numbers(same.loss));
              expectSame(numbers(outGrad), numbers(same.grad));
              const made = await each.forwardAsync(on, labels, { copy });
              expectSame(numbers(made), numbers(same.loss));
            }
          }
        }
      });
    }
  }

  it('async forms take plain arrays', async () => {
    const { loss: value, grad } = await criterion.valueAndGradAsync([[0.25, 0.75]], [1]);
    const same = criterion.valueAndGrad([[0.25, 0.75]], [1]);
    expect([value.item(), grad.arraySync()]).to.deep.equal([
      same.loss.item(),
      same.grad.arraySync(),
    ]);
  });

  it('async forms reject what the others throw, and throw nothing', async () => {
    const call = (options: object, targets: TensorLike = [1]): Promise<Tensor> =>
      criterion.forwardAsync([[0.25, 0.75]], targets, options);
    await expectRejection(call({}, [7]), 'ERR_TARGET_RANGE');
    await expectRejection(call({}, [1, 2]), 'ERR_SHAPE');
    await expectRejection(call({ gradOutput: 1 }), 'ERR_OPTION');
    await expectRejection(call({ copy: 'yes' }), 'ERR_OPTION');
    for (const signal of [{}, 'stop', { aborted: false }, new EventTarget()]) {
      await expectRejection(call({ signal }), 'ERR_OPTION');
    }
    await expectRejection(criterion.valueAndGradAsync('no' as never, [1]), 'ERR_DTYPE');
  });

  for (const threads of [1, 2, 4]) {
    it(`async calls run at once, beside others, in any number, on ${threads} threads`, async () => {
      cpu.threads = threads;
      const calls = Array.from({ length: 10 }, () => criterion.valueAndGradAsync(x, y));
      for (let i = 0; i < 5; i++) expect(criterion.forward(x, y).item()).to.equal(loss);
      for (const call of calls) expect((await call).loss.item()).to.equal(loss);
    });

    it(`async: a signal ends calls early, begun or not, on ${threads} threads`, async () => {
      cpu.threads = threads;
      const controller = new AbortController();
      const { signal } = controller;
      // So many powers in float64 take tenths of a second.
      const slow = new BinaryFocalLoss({ gamma: 1.3 });
      const wide = tensor(new Float64Array(rows * columns).fill(0.3), [rows, columns]);
      const outGrad = tensor(new Float64Array(rows * columns).fill(7), [rows, columns]);
      const calls = Array.from({ length: 3 }, () =>
        rejection(slow.valueAndGradAsync(wide, y, { signal, outGrad })),
      );
      await new Promise((done) => setTimeout(done, 1));
      controller.abort('enough');
      for (const call of calls) expect(await call).to.equal('enough');
      expect(outGrad.dataSync().at(-1), 'none came to its end').to.equal(7);
      expect((await criterion.forwardAsync(x, y)).item()).to.equal(loss);
    });
  }

  itUnless(
    cpu.isas.length > 1 ? null : 'this machine has one instruction set',
    'async calls use the instruction set that was in use when they were made',
    async () => {
      const { inputs, ids } = batchOf([67, 70], 'logits');
      const each = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' });
      const gradOf = async (isa: Isa) => withIsa(isa, () => each.valueAndGrad(inputs, ids).grad);
      const [first, last] = [cpu.isas[0] as Isa, cpu.isas.at(-1) as Isa];
      const calls = await withIsa(first, () => {
        const before = criterion.forwardAsync(x, y);
        return { before, call: each.valueAndGradAsync(inputs, ids) };
      });
      await calls.before;
      const got = numbers((await calls.call).grad);
      expectSame(got, numbers(await gradOf(first)));
      expect(got).not.to.deep.equal(numbers(await gradOf(last)));
    },
  );

  it('async: a signal that was given before', async () => {
    const outGrad = tensor(new Float32Array(2).fill(7), [1, 2]);
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    const call = criterion.valueAndGradAsync([[0.25, 0.75]], [1], { signal, outGrad });
    expect(await rejection(call)).to.equal(reason);
    expect(numbers(outGrad)).to.deep.equal([7, 7]);
  });

  it('async: a call leaves nothing at its signal', async () => {
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: string, listener: () => void) => void listeners.delete(listener),
    };
    const call = criterion.forwardAsync(x, y, { signal });
    expect(listeners).to.have.length(1);
    await call;
    await expectRejection(
      criterion.forwardAsync(x, tensor(new Int32Array(rows).fill(-1), [rows]), { signal }),
      'ERR_TARGET_RANGE',
    );
    expect(listeners).to.have.length(0);
  });

  it('async: inputs and outputs may be disposed meanwhile', async () => {
    const [input, out] = [tensor(p(), [rows, columns]), sevens(criterion.forward(x, y))];
    const call = criterion.forwardAsync(input, y, { out });
    input.dispose();
    const memory = out.dataSync();
    out.dispose();
    await call;
    expect(memory[0]).to.equal(loss);
  });

  /** Takes the memory of an array away. */
  const detach = (array: Float32Array): void => {
    structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
  };

  it('async: a buffer that is detached meanwhile is an error, of inputs and of outputs', async () => {
    const [input, outGrad] = [p(), p()];
    const call = criterion.valueAndGradAsync(tensor(input, [rows, columns]), y);
    detach(input);
    await expectRejection(call, 'ERR_SHAPE');
    const other = criterion.valueAndGradAsync(x, y, { outGrad: tensor(outGrad, [rows, columns]) });
    detach(outGrad);
    await expectRejection(other, 'ERR_SHAPE');
  });

  it('async with copy: outputs that share memory are refused, as ever', async () => {
    const shared = p();
    const [out, outGrad] = [tensor(shared.subarray(0, 1), []), tensor(shared, [rows, columns])];
    const call = criterion.valueAndGradAsync(x, y, { copy: true, out, outGrad });
    await expectRejection(call, 'ERR_OPTION');
    expect(shared[0]).to.equal(Math.fround(0.3));
  });

  it('async: a signal that throws', async () => {
    const of = (what: object) => ({
      ...{ aborted: false, reason: 0, addEventListener() {}, removeEventListener() {} },
      ...what,
    });
    const fails = () => {
      throw new Error('broken');
    };
    for (const what of [{ addEventListener: fails }, { removeEventListener: fails }]) {
      const error = await rejection(criterion.forwardAsync(x, y, { signal: of(what) }));
      expect(error).to.have.property('message', 'broken');
    }
  });

  it('async with copy: inputs may change, and buffers may be detached', async () => {
    const [input, outGrad] = [p(), p()];
    const options = { copy: true, outGrad: tensor(outGrad, [rows, columns]) };
    const call = criterion.valueAndGradAsync(tensor(input, [rows, columns]), y, options);
    input.fill(0.9);
    expect(numbers((await call).loss)).to.deep.equal([loss]);
    expectClose(Array.from(outGrad), numbers(criterion.valueAndGrad(x, y).grad), { relative: 0 });
    const again = criterion.forwardAsync(tensor(p(), [rows, columns]), y, { copy: true });
    detach(input);
    expect((await again).item()).to.equal(loss);
    const lost = criterion.valueAndGradAsync(x, y, options);
    detach(outGrad);
    await expectRejection(lost, 'ERR_SHAPE');
  });

  it('async: what is in resizable buffers is copied, since their pages can be taken away', async () => {
    const bytes = 4 * rows * columns;
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(bytes: number): void };
    const resizable = () => new Resizable(bytes, { maxByteLength: 2 * bytes });
    const [inputBytes, gradBytes] = [resizable(), resizable()];
    const [input, grad] = [new Float32Array(inputBytes).fill(0.3), new Float32Array(gradBytes)];
    const outGrad = tensor(grad, [rows, columns]);
    const call = criterion.valueAndGradAsync(tensor(input, [rows, columns]), y, { outGrad });
    inputBytes.resize(16);
    expect((await call).loss.item()).to.equal(loss);
    expectSame(Array.from(grad), numbers(criterion.valueAndGrad(x, y).grad));
    const shrunk = criterion.valueAndGradAsync(x, y, { outGrad });
    gradBytes.resize(16);
    await expectRejection(shrunk, 'ERR_SHAPE');
  });
});
