// What waits for a device beside the thread of JavaScript: data, array, itemAsync, synchronize.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BinaryFocalLoss, cuda, type Device, Stream, scope, type Tensor, tensor } from 'culoss';
import { batchOf, criterionOf } from './cases.mjs';
import {
  callsOf,
  forgetWhatIsLost,
  itUnless,
  kernelsIn,
  liveOn,
  notEmulated,
  numbers,
  onCuda,
  onStreams,
} from './devices.mjs';
import { expectError, expectRejection, expectSame } from './expect.mjs';

const { inputs, ids } = batchOf([33, 5], 'logits');
const badIds = new Int32Array(ids).fill(5, 7, 8);
const criterion = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' });
const on = (device: Device): Tensor<'float32'> =>
  tensor(inputs, undefined, { device }) as Tensor<'float32'>;
const zeros = new Float32Array(33 * 5);
const enqueueBad = (device: Device): Tensor => criterion.forward(on(device), badIds);

/** Runs something while events seem to take so long; gives the milliseconds that it took. */
async function whileBusy(milliseconds: number, run: () => unknown): Promise<number> {
  process.env.CULOSS_EMULATION_BUSY = `${milliseconds}`;
  const start = performance.now();
  try {
    await run();
  } finally {
    delete process.env.CULOSS_EMULATION_BUSY;
  }
  return performance.now() - start;
}

describe('waits', () => {
  onCuda('waits: the async reads give what the others do cuda:0', async () => {
    const values = [
      ...(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8'] as const).map((dtype) =>
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          undefined,
          { dtype },
        ),
      ),
      tensor(new BigInt64Array([2n ** 62n, -1n]), [2]),
      tensor([], [0, 3]),
      tensor([7], []),
      tensor(new Float32Array(3e6).fill(1.5)),
      tensor(new Uint8Array(40_000_001).fill(3)), // more than one piece
    ];
    for (const value of values) {
      using there = value.cuda();
      expect(await there.data()).to.deep.equal(value.dataSync());
      if (value.size < 10) expect(await there.array()).to.deep.equal(value.arraySync());
    }
    expect(await tensor(4.5, [], { device: 'cuda:0' }).itemAsync()).to.equal(4.5);
  });

  onCuda('waits: the async reads reject what the others throw cuda:0', async () => {
    using x = on('cuda:0');
    await expectRejection(x.itemAsync(), 'ERR_SHAPE');
    const gone = on('cuda:0');
    gone.dispose();
    for (const read of [gone.data(), gone.array()]) await expectRejection(read, 'ERR_DISPOSED');
    const stream = new Stream();
    stream.dispose();
    await expectRejection(stream.synchronize(), 'ERR_DISPOSED');
    await expectRejection(cuda.synchronize(cuda.deviceCount()), 'ERR_DEVICE');
    const refused: Promise<unknown>[] = [];
    using graph = cuda.graph(() => {
      refused.push(x.data(), cuda.synchronize());
      return criterion.forward(x, ids);
    });
    for (const one of refused) await expectRejection(one, 'ERR_CUDA');
    graph.replay();
  });

  onStreams('waits: a read gives what was there when it was made', async (device) => {
    const before = inputs.flat().map(Math.fround);
    const changes: ((x: Tensor<'float32'>, stream: Stream) => void)[] = [
      (x) => x.set(zeros),
      (x) => x.set(tensor(zeros, [33, 5], { device }) as Tensor<'float32'>),
      (x, stream) => stream.run(() => x.set(zeros)),
      (x, stream) => stream.run(() => criterion.valueAndGrad(on(device), ids, { outGrad: x })),
      (x) => x.dispose(),
    ];
    for (const change of changes) {
      for (const inStream of [false, true]) {
        using stream = new Stream();
        const x = on(device);
        let read: Promise<Float32Array> | undefined;
        const begin = (): void => {
          read = x.data();
        };
        inStream ? stream.run(begin) : begin();
        change(x, stream);
        expectSame([...((await read) as Float32Array)], before);
        if (!x.disposed) expect([...(await x.data())]).not.to.deep.equal(before);
      }
    }
  });

  onStreams('waits: a read waits for whoever wrote it', async (device) => {
    using stream = new Stream();
    const x = on(device);
    const expected = criterion.valueAndGrad(x, ids);
    const made = stream.run(() => criterion.valueAndGrad(x, ids));
    const [loss, grad] = await Promise.all([made.loss.itemAsync(), made.grad.data()]);
    expect(loss).to.equal(expected.loss.item());
    expectSame([...(grad as Float32Array)], numbers(expected.grad));
  });

  onStreams('waits: one that is under way is no reason not to wait', async (device) => {
    const x = on(device);
    const expected = criterion.forward(x, ids).item();
    for (const begin of [
      (stream: Stream) => stream.synchronize(),
      () => cuda.synchronize(),
      () => x.data(),
    ]) {
      using stream = new Stream();
      const value = stream.run(() => criterion.forward(x, ids));
      let under: Promise<unknown> | undefined;
      await whileBusy(50, () => {
        under = begin(stream);
      });
      expect(value.item()).to.equal(expected);
      await under;
    }
  });

  onStreams('waits: a bad class id is for the first that asks', async (device) => {
    using stream = new Stream();
    const value = criterion.forward(on(device), ids);
    enqueueBad(device);
    const asked = [value.itemAsync(), value.data(), cuda.synchronize()];
    await expectRejection(asked[0] as Promise<unknown>, 'ERR_TARGET_RANGE');
    await Promise.all(asked.slice(1));

    stream.run(() => enqueueBad(device));
    await expectRejection(stream.synchronize(), 'ERR_TARGET_RANGE');
    await stream.synchronize();
    await cuda.synchronize();
    value.item();

    // Of two, one is told now and one later.
    enqueueBad(device);
    stream.run(() => enqueueBad(device));
    await expectRejection(value.itemAsync(), 'ERR_TARGET_RANGE');
    await expectRejection(value.itemAsync(), 'ERR_TARGET_RANGE');
    await value.itemAsync();
  });

  onStreams('waits: a bad class id of a graph, or of a closed stream, is told', async (device) => {
    const [x, y] = [on(device), tensor(badIds, [33], { device })];
    const value = criterion.forward(x, ids);
    using graph = cuda.graph(() => criterion.forward(x, y));
    using stream = new Stream();
    for (const replay of [() => graph.replay(), () => stream.run(() => graph.replay())]) {
      replay();
      await expectRejection(value.itemAsync(), 'ERR_TARGET_RANGE');
      await value.itemAsync();
    }
    stream.run(() => graph.replay());
    await expectRejection(stream.synchronize(), 'ERR_TARGET_RANGE');
    stream.run(() => enqueueBad(device));
    stream.dispose();
    await expectRejection(cuda.synchronize(), 'ERR_TARGET_RANGE');
    await cuda.synchronize();
  });

  onStreams('waits: what is disposed while it is waited for does no harm', async (device) => {
    const stream = new Stream();
    const x = on(device);
    const graph = cuda.graph(() => criterion.forward(x, ids));
    const expected = criterion.forward(x, ids).item();
    stream.run(() => graph.replay());
    const waits = [stream.synchronize(), graph.result.itemAsync(), cuda.synchronize()] as const;
    graph.dispose();
    stream.dispose();
    const [, item] = await Promise.all(waits);
    expect(item).to.equal(expected);
    const kept = scope(() => criterion.forward(x, ids).itemAsync());
    expect(await kept).to.equal(expected);
  });

  onCuda('waits: an eager call rejects with its bad class id cuda:0', async () => {
    const eager = criterionOf({ loss: 'BinaryFocalLoss', from: 'logits' }, { validate: 'eager' });
    await expectRejection(eager.forwardAsync(on('cuda:0'), badIds), 'ERR_TARGET_RANGE');
    const [call, plain] = [eager.valueAndGradAsync(on('cuda:0'), ids), eager.forward(inputs, ids)];
    expect((await call).loss.item()).to.be.closeTo(plain.item(), 1e-6);
  });

  onCuda('waits: an eager call is not captured, nor is its refusal unhandled cuda:0', async () => {
    const eager = criterionOf({ loss: 'BinaryFocalLoss', from: 'logits' }, { validate: 'eager' });
    const [x, out] = [on('cuda:0'), tensor(7, [], { device: 'cuda:0' }) as Tensor<'float32'>];
    let call: Promise<unknown> | undefined;
    using graph = cuda.graph(() => {
      call = eager.forwardAsync(x, ids, { out });
      call.catch(() => {});
    });
    await expectRejection(call as Promise<unknown>, 'ERR_CUDA');
    graph.replay();
    expect(out.item()).to.equal(7);
    // Promises that are refused reject, too: nobody else can tell that.
    using stream = new Stream();
    expectError(() => cuda.graph(() => x.data()), 'ERR_OPTION', TypeError, /^work/);
    expectError(
      () => stream.run(() => eager.forwardAsync(x, badIds)),
      'ERR_OPTION',
      TypeError,
      /^w/,
    );
    expectError(() => scope(() => [x.itemAsync()]), 'ERR_OPTION', TypeError, /^work/);
    await new Promise((done) => setTimeout(done, 20));
    await cuda.synchronize().catch(() => {}); // what the refused call deferred
  });

  itUnless(notEmulated, 'emulated waits: the event loop goes on meanwhile', async () => {
    using x = on('cuda:0');
    using stream = new Stream();
    const eager = new BinaryFocalLoss({ validate: 'eager' });
    const p = tensor([[0.25, 0.75]]).cuda();
    const [ms, y] = [100, tensor(new Int32Array([1]), [1]).cuda()];
    /** How often a timer of 1 ms comes round. */
    const turnsIn = async (run: () => Promise<unknown>): Promise<number> => {
      let turns = 0;
      const timer = setInterval(() => ++turns, 1);
      await run();
      clearInterval(timer);
      return turns;
    };
    const idle = await turnsIn(() => new Promise((done) => setTimeout(done, ms)));
    const waits = [
      () => x.data(),
      () => x.array(),
      () => criterion.forward(x, ids).itemAsync(),
      () => cuda.synchronize(),
      () => stream.synchronize(),
      () => eager.forwardAsync(p, y),
    ];
    const all: number[] = [];
    for (const wait of waits) {
      const turns = await turnsIn(async () => {
        expect(await whileBusy(ms, wait)).to.be.at.least(ms);
      });
      expect(turns, `${wait}`).to.be.greaterThan(ms / 10);
      all.push(turns);
    }
    return `a timer of 1 ms comes round ${Math.min(...all)} times in ${ms} ms of a device, ${idle} without`;
  });

  itUnless(notEmulated, 'emulated waits: one that is over is not kept by others', async () => {
    using x = on('cuda:0');
    let isDone = false;
    let slow: Promise<void> | undefined;
    await whileBusy(300, () => {
      slow = x.data().then(() => {
        isDone = true;
      });
    });
    await x.data();
    expect(isDone).to.equal(false);
    await slow;
  });

  itUnless(
    notEmulated,
    'emulated waits: nothing that waits is called where they begin',
    async () => {
      using x = on('cuda:0');
      using stream = new Stream();
      const waits: Promise<unknown>[] = [];
      await whileBusy(20, async () => {
        const calls = callsOf(() => {
          waits.push(x.data(), x.array(), cuda.synchronize(), stream.synchronize());
        });
        expect(calls).to.include('cudaEventRecord');
        expect(calls).not.to.include('cudaStreamSynchronize');
        await Promise.all(waits);
      });
    },
  );

  itUnless(notEmulated, 'emulated waits: what is moved to a device waits for no other work', () => {
    using x = on('cuda:0');
    const enqueue = (): Tensor[] => [
      criterion.forward(x, ids),
      criterion.forward(x, tensor(ids).cuda()),
      criterion.forward(x, ids, { sampleWeight: zeros.subarray(0, 33) }),
    ];
    let values: Tensor[] = [];
    expect(
      kernelsIn(() => {
        values = enqueue();
      }),
    ).to.equal(0);
    expect(kernelsIn(() => values[0]?.item())).to.be.greaterThan(2);
  });

  itUnless(notEmulated, 'emulated waits: nothing is left of them', async () => {
    await forgetWhatIsLost();
    using x = on('cuda:0');
    const before = await liveOn(0);
    await Promise.all(Array.from({ length: 50 }, () => x.data()));
    expect(await liveOn(0)).to.equal(before);
  });

  itUnless(notEmulated, 'emulated waits: memory for a read that is short is told', async () => {
    using x = on('cuda:0');
    process.env.CULOSS_EMULATION_FAIL = '1';
    await expectRejection(x.data(), 'ERR_OUT_OF_MEMORY');
    process.env.CULOSS_EMULATION_FAIL = '';
    expectSame([...(await x.data())], inputs.flat().map(Math.fround));
    expectError(() => x.item(), 'ERR_SHAPE', RangeError, /^tensor\.item/);
  });

  itUnless(notEmulated, 'emulated waits: a process waits for them, a worker ends in one', () => {
    const cwd = fileURLToPath(new URL('../../', import.meta.url));
    const run = (script: string, busy: number) =>
      spawnSync(process.execPath, ['-e', script], {
        ...{ cwd, encoding: 'utf8', timeout: 60_000 },
        env: { ...process.env, CULOSS_EMULATION_BUSY: `${busy}` },
      });
    const read = `
      const { tensor } = require('culoss');
      const read = tensor([1, 2]).cuda().data();`;
    const whole = run(`${read} read.then((data) => console.log(data.join()));`, 50);
    expect([whole.stderr, whole.stdout]).to.deep.equal(['', '1,2\n']);
    const ended = run(`${read} setTimeout(() => process.exit(3), 10);`, 60_000);
    expect([ended.stderr, ended.status]).to.deep.equal(['', 3]);
    const worker = `${read} require('node:worker_threads').parentPort.postMessage('');`;
    const script = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      worker.once('message', () => worker.terminate().then((code) => console.log(code)));`;
    const terminated = run(script, 60_000);
    expect([terminated.stderr, terminated.stdout]).to.deep.equal(['', '1\n']);
  });
});
