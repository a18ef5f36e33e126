// Streams: the same results as without, in whatever order the device takes their work.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CulossError, cuda, type Device, Stream, type Tensor, tensor } from 'culoss';
import { batchOf, criterionOf, floatDtypes, lossNames } from './cases.mjs';
import {
  callsOf,
  forgetWhatIsLost,
  itUnless,
  liveOn,
  notEmulated,
  numbers,
  onCuda,
  onStreams,
} from './devices.mjs';
import { wrong } from './errors.cases.mjs';
import { expectError, expectRejection, expectSame } from './expect.mjs';

const shape = [33, 5] as const;
const { inputs, ids } = batchOf(shape, 'logits');
const criterion = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' });
const badIds = new Int32Array(ids).fill(5, 7, 8);

const logitsOn = (device: Device): Tensor => tensor(inputs, undefined, { device });
const idsOn = (device: Device): Tensor => tensor(new Int32Array(ids), [33], { device });
const badIdsOn = (device: Device): Tensor => tensor(badIds, [33], { device });

/** What the main stream gives for the logits, and for their gradient as logits. */
function expected(): { loss: number[]; grad: number[]; next: number[] } {
  const [x, y] = [logitsOn('cuda:0'), idsOn('cuda:0')];
  const { loss, grad } = criterion.valueAndGrad(x, y);
  return { loss: numbers(loss), grad: numbers(grad), next: numbers(criterion.forward(grad, y)) };
}

describe('streams', () => {
  beforeEach(forgetWhatIsLost);

  for (const loss of lossNames) {
    for (const dtype of floatDtypes) {
      onStreams(
        `${loss} streams ${dtype} a call gives in a stream what it gives outside`,
        (device) => {
          const options = { weight: [1, 2, 3, 4, 5], normalizer: 'targets' } as const;
          const criterion = criterionOf({ loss, from: 'logits', ...options });
          const x = tensor(inputs, undefined, { dtype, device });
          const call = { sampleWeight: new Float32Array(33).fill(0.5), gradOutput: [3] };
          const outside = criterion.valueAndGrad(x, ids, call);
          using stream = new Stream();
          const inside = stream.run(() => criterion.valueAndGrad(x, ids, call));
          expectSame(numbers(inside.loss), numbers(outside.loss));
          expectSame(numbers(inside.grad), numbers(outside.grad));
        },
      );
    }
  }

  onStreams('streams: what one writes is there for another, and for the main one', (device) => {
    const { loss, grad, next } = expected();
    for (let i = 0; i < 3; i++) {
      using first = new Stream();
      using second = new Stream();
      const [x, y] = [logitsOn(device), idsOn(device)];
      const made = first.run(() => criterion.valueAndGrad(x, y));
      const inSecond = second.run(() => criterion.forward(made.grad, y));
      const inMain = criterion.forward(made.grad, y);
      expectSame([...numbers(inMain), ...numbers(inSecond)], [...next, ...next]);
      expectSame(numbers(made.loss), loss);
      expectSame(numbers(made.grad), grad);
    }
  });

  onStreams('streams: what the main one writes is there for another', (device) => {
    using stream = new Stream();
    const y = idsOn(device);
    const { grad } = criterion.valueAndGrad(logitsOn(device), y);
    expectSame(numbers(stream.run(() => criterion.forward(grad, y))), expected().next);
  });

  onStreams('streams: what one still reads is not overwritten', async (device) => {
    const { loss } = expected();
    const zeros = tensor(new Float32Array(33 * 5), shape, { device });
    const writes: ((x: Tensor<'float32'>, other: Stream) => void)[] = [
      (x) => x.set(zeros as Tensor<'float32'>),
      (x) => x.set(new Float32Array(33 * 5)),
      (x, other) => other.run(() => x.set(zeros as Tensor<'float32'>)),
      (x) => criterion.valueAndGrad(zeros, ids, { outGrad: x }),
    ];
    for (const write of writes) {
      using stream = new Stream();
      using other = new Stream();
      const [x, y] = [logitsOn(device), idsOn(device)];
      const value = stream.run(() => criterion.forward(x, y));
      write(x as Tensor<'float32'>, other);
      expectSame(numbers(value), loss);
      expect(numbers(x)).not.to.deep.equal(inputs.flat());
    }
  });

  onStreams('streams: of two that write, the later one counts', (device) => {
    using first = new Stream();
    using second = new Stream();
    const [x, y] = [logitsOn(device), idsOn(device)];
    const zeros = tensor(new Float32Array(33 * 5), shape, { device });
    const { grad } = expected();
    for (const [a, b] of [
      [first, second],
      [second, first],
    ] as const) {
      const outGrad = tensor(new Float32Array(33 * 5), shape, { device });
      a.run(() => criterion.valueAndGrad(zeros, y, { outGrad }));
      b.run(() => criterion.valueAndGrad(x, y, { outGrad }));
      expectSame(numbers(outGrad), grad);
    }
  });

  onStreams('streams: memory is not freed while one still reads it', (device) => {
    const { loss, next } = expected();
    using first = new Stream();
    using second = new Stream();
    const y = idsOn(device);
    const [x, g] = [logitsOn(device), criterion.valueAndGrad(logitsOn(device), y).grad];
    const values = [
      first.run(() => criterion.forward(x, y)),
      second.run(() => criterion.forward(x, y)),
      first.run(() => criterion.forward(g, y)),
    ];
    x.dispose();
    g.dispose();
    const others = [logitsOn(device), logitsOn(device)].map((t) => criterion.valueAndGrad(t, y));
    expectSame(values.flatMap(numbers), [...loss, ...loss, ...next]);
    expectSame(
      others.flatMap(({ loss: value }) => numbers(value)),
      [...loss, ...loss],
    );
  });

  onStreams('streams: memory is not freed while one still writes it', (device) => {
    using stream = new Stream();
    const [x, y] = [logitsOn(device), idsOn(device)];
    const { loss, grad } = expected();
    for (let i = 0; i < 3; i++) {
      const outGrad = tensor(new Float32Array(33 * 5), shape, { device });
      const made = stream.run(() => criterion.valueAndGrad(x, y, { outGrad }));
      outGrad.dispose();
      const other = logitsOn(device);
      expectSame(numbers(criterion.valueAndGrad(other, y).grad), grad);
      expectSame(numbers(made.loss), loss);
    }
  });

  onStreams('streams: a bad class id is an error of its own stream', async (device) => {
    using bad = new Stream();
    using good = new Stream();
    const x = logitsOn(device);
    const [y, wrongIds] = [idsOn(device), badIdsOn(device)];
    bad.run(() => criterion.forward(x, wrongIds));
    const value = good.run(() => criterion.forward(x, y));
    await good.synchronize();
    await expectRejection(bad.synchronize(), 'ERR_TARGET_RANGE');
    await bad.synchronize();
    expectSame(numbers(value), expected().loss);
  });

  onStreams(
    'streams: a bad class id is thrown once, at the next read, whatever stream',
    (device) => {
      using first = new Stream();
      using second = new Stream();
      const [x, y, wrongIds] = [logitsOn(device), idsOn(device), badIdsOn(device)];
      for (const stream of [first, second]) stream.run(() => criterion.forward(x, wrongIds));
      const value = criterion.forward(x, y);
      const message = 'targets[7]: expected a class id in [0, 5), got 5';
      for (let i = 0; i < 2; i++) {
        expectError(() => value.item(), 'ERR_TARGET_RANGE', RangeError, message);
      }
      expectSame(numbers(value), expected().loss);
    },
  );

  onStreams('streams: an error outlives the stream, and is thrown at the next read', (device) => {
    const stream = new Stream();
    const [x, wrongIds] = [logitsOn(device), badIdsOn(device)];
    const value = stream.run(() => criterion.forward(x, wrongIds));
    stream.dispose();
    expectError(() => value.item(), 'ERR_TARGET_RANGE', RangeError, /^targets\[7\]/);
    expectSame(numbers(criterion.forward(x, ids)), expected().loss);
  });

  onStreams('streams: nested runs end where they began, also by an error', async (device) => {
    using outer = new Stream();
    using inner = new Stream();
    const [x, wrongIds] = [logitsOn(device), badIdsOn(device)];
    const mine = new Error('mine');
    const raise = (): never => {
      throw mine;
    };
    outer.run(() => {
      expect(() => inner.run(raise)).to.throw(mine);
      criterion.forward(x, wrongIds); // in the outer one
    });
    await inner.synchronize();
    await expectRejection(outer.synchronize(), 'ERR_TARGET_RANGE');
    outer.run(() => inner.run(() => criterion.forward(x, wrongIds)));
    await outer.synchronize();
    await expectRejection(inner.synchronize(), 'ERR_TARGET_RANGE');
    criterion.forward(x, wrongIds); // in the main one again
    await outer.synchronize();
    await inner.synchronize();
    await expectRejection(cuda.synchronize(), 'ERR_TARGET_RANGE');
  });

  const second = cuda.deviceCount() > 1 ? null : 'there is no second CUDA device';
  itUnless(
    second,
    'streams: a call on another device goes to that one, cuda:0 and cuda:1',
    async () => {
      using stream = new Stream();
      const x = logitsOn('cuda:1');
      stream.run(() => criterion.forward(x, badIdsOn('cuda:1')));
      await stream.synchronize();
      await cuda.synchronize();
      await expectRejection(cuda.synchronize(1), 'ERR_TARGET_RANGE');
      const value = stream.run(() => criterion.forward(x, ids));
      expect(value.device).to.equal('cuda:1');
      const copy = stream.run(() => criterion.forward(logitsOn('cuda:0'), ids)).to('cuda:1');
      expectSame([...numbers(value), ...numbers(copy)], [...expected().loss, ...expected().loss]);
      using other = new Stream(1);
      expect(other.device).to.equal('cuda:1');
      expectSame(numbers(other.run(() => criterion.forward(x, ids))), expected().loss);
    },
  );

  onStreams('streams: time is that of the work, which is done then', async (device) => {
    using stream = new Stream();
    const [x, y] = [logitsOn(device), idsOn(device)];
    let value: Tensor | undefined;
    const milliseconds = stream.time(() => {
      value = criterion.forward(x, y);
    });
    expect(milliseconds).to.be.within(0, 10_000);
    expect(milliseconds).not.to.equal(0);
    expectSame(numbers(value as Tensor), expected().loss);
    const wrongIds = badIdsOn(device);
    const bad = (): unknown => stream.time(() => criterion.forward(x, wrongIds));
    expectError(bad, 'ERR_TARGET_RANGE', RangeError, /^targets\[7\]/);
    await stream.synchronize();
  });

  onStreams('streams: what was enqueued before is no part of the time', (device) => {
    using stream = new Stream();
    const y = idsOn(device);
    let last = logitsOn(device);
    const many = (): void => {
      for (let i = 0; i < 10; i++) last = criterion.valueAndGrad(last, y).grad;
    };
    const least = (time: () => number): number => Math.min(...Array.from({ length: 5 }, time));
    const before = least(() => stream.time(many));
    const after = least(() => {
      many();
      return stream.time(() => criterion.forward(last, y));
    });
    expect(after).to.be.below(before / 2);
  });

  onCuda('streams: facts, and the end of one cuda:0', async () => {
    const stream = new Stream();
    expect([stream.device, stream.disposed, typeof stream.address]).to.deep.equal([
      'cuda:0',
      false,
      'bigint',
    ]);
    expect(stream.address).not.to.equal(0n);
    expect(stream.run(() => 7)).to.equal(7);
    stream.dispose();
    stream.dispose();
    expect(stream.disposed).to.equal(true);
    const message = 'stream: expected one in use, got a disposed one';
    for (const call of [
      () => stream.run(() => 1),
      () => stream.time(() => 1),
      () => stream.address,
    ]) {
      expectError(call, 'ERR_DISPOSED', CulossError, message);
    }
    await expectRejection(stream.synchronize(), 'ERR_DISPOSED');
    const late = new Stream();
    const x = logitsOn('cuda:0');
    const call = (): unknown =>
      late.run(() => {
        late.dispose();
        criterion.forward(x, ids);
      });
    expectError(call, 'ERR_DISPOSED', CulossError, 'the stream was disposed');
    expectSame(numbers(criterion.forward(x, ids)), expected().loss);
  });

  onCuda('streams: work that is not done when it returns is ERR_OPTION cuda:0', () => {
    using stream = new Stream();
    const expected = 'work: expected a function that is done when it returns, got';
    let called = 0;
    const rows: [unknown, string][] = [
      [undefined, 'undefined'],
      [3, '3'],
      [async () => called++, 'an async one'],
      [() => Promise.resolve(1), 'one with a promise'],
      // biome-ignore lint/suspicious/noThenProperty: what is refused
      [() => ({ then: () => {} }), 'one with a promise'],
    ];
    for (const [work, got] of rows) {
      const message = `${expected} ${got}`;
      expectError(() => stream.run(wrong(work)), 'ERR_OPTION', TypeError, message);
      expectError(() => stream.time(wrong(work)), 'ERR_OPTION', TypeError, message);
    }
    expect(called).to.equal(0);
    expect(() => Stream.prototype.run.call(wrong({}), () => 1)).to.throw(TypeError);
    expect(() => Reflect.apply(wrong(Stream), undefined, [])).to.throw(TypeError);
  });

  onCuda('streams: threads end, and the collector comes, with some undisposed cuda:0', () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads');
      const { BinaryFocalLoss, cuda, Stream, tensor } = require('culoss');
      const x = tensor([[0.5, 0.25]]).cuda();
      const y = tensor([[1, 0]]).cuda();
      const criterion = new BinaryFocalLoss();
      const value = criterion.forward(x, y).item();
      const work = () => {
        const stream = new Stream();
        const graph = stream.run(() => cuda.graph(() => criterion.forward(x, y)));
        stream.run(() => graph.replay());
        if (graph.result.item() !== value) throw new Error('wrong');
        return stream;
      };
      for (let i = 0; i < 20; i++) work();
      if (isMainThread) {
        for (let i = 0; i < 4; i++) new Worker(__filename).on('error', console.log);
        const endless = new Worker(__filename, { argv: ['endless'] });
        globalThis.gc();
        setTimeout(async () => {
          await endless.terminate();
          globalThis.gc();
          console.log('done');
          work().run(() => process.exit());
        }, 500);
      } else {
        while (process.argv[2] === 'endless') work();
        work().run(() => process.exit());
      }`;
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const file = `${root}out/streams.cjs`;
    writeFileSync(file, script);
    const args = ['--expose-gc', file];
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60000 });
    expect(output).to.equal('done\n');
  });

  itUnless(
    notEmulated,
    'emulated streams: a steady call is its launches, and waits for nothing',
    () => {
      const [x, y] = [logitsOn('cuda:0'), idsOn('cuda:0')];
      const [out, outGrad] = [tensor([0], []).cuda(), logitsOn('cuda:0')];
      const call = (): unknown => criterion.valueAndGrad(x, y, { out, outGrad });
      call();
      const launches = [
        'cudaLaunchKernelEx',
        'cudaMallocFromPoolAsync',
        'cudaLaunchKernelEx',
        'cudaFreeAsync',
      ];
      expect(callsOf(call)).to.deep.equal(launches);
      using stream = new Stream();
      stream.run(call); // waits for the main one, once
      expect(callsOf(() => stream.run(call))).to.deep.equal(launches);
      const waits = ['cudaEventRecord', 'cudaStreamWaitEvent'];
      expect(callsOf(call)).to.deep.equal([...waits, ...launches]);
      using other = new Stream();
      other.run(() => criterion.forward(x, y));
      // Two that read the same do not wait for one another.
      expect(callsOf(() => stream.run(() => criterion.forward(x, y)).dispose())).not.to.include(
        'cudaStreamWaitEvent',
      );
    },
  );

  itUnless(notEmulated, 'emulated streams: a copy within a device is enqueued', () => {
    const [x, other] = [logitsOn('cuda:0'), logitsOn('cuda:0')];
    x.set(other as Tensor<'float32'>);
    expect(callsOf(() => x.set(other as Tensor<'float32'>))).to.deep.equal(['cudaMemcpyAsync']);
  });

  itUnless(notEmulated, 'emulated streams: nothing is left of a stream', async () => {
    const before = await liveOn(0);
    for (let i = 0; i < 10; i++) {
      using stream = new Stream();
      const x = stream.run(() => logitsOn('cuda:0'));
      stream.run(() => criterion.forward(x, ids)).dispose();
      criterion.forward(x, ids).dispose();
      x.dispose();
    }
    expect(await liveOn(0)).to.equal(before);
  });
});
