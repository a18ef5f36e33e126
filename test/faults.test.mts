// The emulated CUDA runtime can be told to fail: the n-th allocation, copy, launch or wait of a call.
// For every n the call must throw what it was, leak nothing, and leave the next call right.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CulossError, cuda, type Device, Stream, scope, Tensor, tensor } from 'culoss';
import { criterionOf, lossNames } from './cases.mjs';
import { forgetWhatIsLost, itUnless, liveOn, notEmulated, numbers } from './devices.mjs';
import { expectError, expectSame } from './expect.mjs';

const logits = [
  [1, -2, 0.5],
  [0.25, 3, -1],
];
const soft = [
  [0.5, 0, 0.5],
  [0, 1, 0],
];

interface Call {
  title: string;
  /** Makes what it needs on the device, and frees it; returns numbers that must be the same again. */
  run: (device: Device) => number[] | Promise<number[]>;
}

/** Frees what a call makes behind it, whether it throws or not. */
function using<R>(make: (own: <T extends Disposable>(made: T) => T) => R): R {
  const owned: Disposable[] = [];
  const own = <T extends Disposable>(made: T): T => {
    owned.push(made);
    return made;
  };
  try {
    return make(own);
  } finally {
    for (const made of owned.reverse()) made[Symbol.dispose]();
  }
}

const criterion = criterionOf({ loss: 'BinaryFocalLoss', from: 'logits' }, { alpha: [1, 0.5, 0] });

const calls: Call[] = [
  {
    title: 'a stream: what goes from it to the main one, and back, and what is freed',
    run: (device) =>
      using((own) => {
        const stream = own(new Stream(Number(device.slice(-1))));
        const x = own(tensor(logits, undefined, { device }));
        const y = own(stream.run(() => tensor(soft, undefined, { device })));
        const first = stream.run(() => criterion.valueAndGrad(x, y));
        own(first.loss);
        own(first.grad);
        const next = own(criterion.forward(first.grad, y));
        const last = own(stream.run(() => own(tensor([0], [], { device })).set(next)));
        return [...numbers(first.grad), last.item()];
      }),
  },
  {
    title: 'the memory of a device, its peak and its cache',
    run: (device) => {
      const index = Number(device.slice(-1));
      cuda.resetPeakMemory(index);
      const { allocated, reserved, peak } = cuda.memory(index);
      cuda.emptyCache(index);
      return [Number(allocated <= peak), Number(peak <= reserved)];
    },
  },
  {
    title: 'a wait for a stream',
    run: async (device) => {
      const stream = new Stream(Number(device.slice(-1)));
      try {
        await stream.synchronize();
      } finally {
        stream.dispose();
      }
      return [];
    },
  },
  {
    title: 'async reads of what two streams have written, and waits for both',
    run: (device) => {
      const index = Number(device.slice(-1));
      return scope(async () => {
        const stream = new Stream(index);
        const x = tensor(logits, undefined, { device });
        const there = stream.run(() => criterion.forward(x, [0, 1]));
        const here = criterion.forward(x, [0, 1]);
        const read = [await there.itemAsync(), await here.itemAsync(), ...(await x.data())];
        await stream.synchronize();
        await cuda.synchronize(index);
        return read.map(Number);
      });
    },
  },
  {
    title: 'an async call that is eager',
    run: (device) =>
      scope(async () => {
        const eager = criterionOf(
          { loss: 'BinaryFocalLoss', from: 'logits' },
          { validate: 'eager' },
        );
        const x = tensor(logits, undefined, { device });
        return numbers(await eager.forwardAsync(x, [0, 1]));
      }),
  },
  {
    title: 'memory of others, and what is pinned',
    run: (device) =>
      using((own) => {
        const pinned = own(tensor(logits).pinMemory());
        const owner = own(pinned.to(device));
        const same = own(Tensor.fromAddress(owner.address, [2, 3], { device }));
        return numbers(own(criterion.forward(same, [0, 1])));
      }),
  },
  {
    title: 'memory for other processes',
    run: (device) =>
      using((own) => {
        const x = own(tensor(logits, undefined, { device, shareable: true }));
        return [x.ipcHandle().length, ...numbers(own(criterion.forward(x, [0, 1])))];
      }),
  },
  {
    title: 'the time of a stream',
    run: (device) =>
      using((own) => {
        const stream = own(new Stream(Number(device.slice(-1))));
        const x = own(tensor(logits, undefined, { device }));
        let value: Tensor | undefined;
        stream.time(() => {
          value = own(criterion.forward(x, [0, 1]));
        });
        return numbers(value as Tensor);
      }),
  },
  {
    title: 'the capture of a graph, and replays of it in two streams',
    run: (device) =>
      using((own) => {
        const index = Number(device.slice(-1));
        const stream = own(new Stream(index));
        const x = own(tensor(logits, undefined, { device }));
        const graph = own(
          cuda.graph(() => {
            const { loss, grad } = criterion.valueAndGrad(x, [0, 1], { gradOutput: [3] });
            return [own(loss), own(grad)];
          }, index),
        );
        graph.replay();
        stream.run(() => graph.replay());
        return graph.result.flatMap(numbers);
      }),
  },
  {
    title: 'tensor, to and from a device',
    run: (device) => using((own) => numbers(own(tensor(logits, undefined, { device })).cpu())),
  },
  {
    title: 'item',
    run: (device) => using((own) => [own(tensor([7], [1], { device })).item()]),
  },
  ...lossNames.flatMap((loss): Call[] => {
    const everything = {
      weight: [1, 2, 3],
      alpha: [0.25, 0.5, 0.75],
      labelSmoothing: 0.1,
      normalizer: 'targets',
      ignoreIndex: -1,
    } as const;
    // Its alpha and weight stay on the device.
    const criterion = criterionOf({ loss, from: 'logits', ...everything });
    return [
      {
        title: `${loss} valueAndGrad of class ids, eager`,
        run: (device) =>
          using((own) => {
            const x = own(tensor(logits, undefined, { device }));
            const eager = criterionOf({ loss, from: 'logits' }, { validate: 'eager' });
            const { loss: value, grad } = eager.valueAndGrad(x, [0, 1]);
            own(value);
            own(grad);
            return [value.item(), ...numbers(grad)];
          }),
      },
      {
        title: `${loss} valueAndGrad of everything at once, from plain arrays`,
        run: (device) =>
          using((own) => {
            const x = own(tensor(logits, undefined, { device }));
            const { loss: value, grad } = criterion.valueAndGrad(x, soft, {
              sampleWeight: [1, 2],
              gradOutput: [3],
            });
            own(value);
            own(grad);
            return [value.item(), ...numbers(grad)];
          }),
      },
    ];
  }),
];

describe('faults', () => {
  beforeEach(forgetWhatIsLost);

  const check = async (run: Call['run'], index: number, expected: number[]): Promise<number> => {
    const device = `cuda:${index}` as const;
    for (let n = 1; ; n++) {
      const before = await liveOn(index);
      process.env.CULOSS_EMULATION_FAIL = `${n}`;
      let thrown: unknown;
      let result: number[] | undefined;
      try {
        result = await run(device);
      } catch (error) {
        thrown = error;
      }
      const hasFailed = process.env.CULOSS_EMULATION_FAIL === '';
      process.env.CULOSS_EMULATION_FAIL = '';
      expect(await liveOn(index), `allocations after fault ${n}`).to.equal(before);
      if (!hasFailed) return n - 1;
      if (result !== undefined) {
        expectSame(result, expected); // a call that frees, which has another way
        continue;
      }
      expect(thrown, `fault ${n}`).to.be.instanceOf(CulossError);
      expect((thrown as CulossError).code).to.be.oneOf(['ERR_OUT_OF_MEMORY', 'ERR_CUDA']);
      expect((thrown as Error).message).to.match(
        /^cuda:0: expected \d+ bytes|^the host has no \d+ bytes|^\w+ failed: .* at native\/cuda\/\w+\.\w+:\d+$/,
      );
    }
  };

  for (const { title, run } of calls) {
    itUnless(notEmulated, `emulated faults in ${title}`, async () => {
      const expected = await run('cuda:0');
      const faults = await check(run, 0, expected);
      expect(faults).to.be.greaterThan(2);
      expectSame(await run('cuda:0'), expected);
    });
  }

  itUnless(notEmulated, 'emulated faults in memory, its peak and its cache are thrown', () => {
    for (const name of ['memory', 'resetPeakMemory', 'emptyCache'] as const) {
      process.env.CULOSS_EMULATION_FAIL = '1';
      expectError(() => cuda[name](), 'ERR_CUDA', CulossError, /^cudaMemPool\w+ failed: /);
      process.env.CULOSS_EMULATION_FAIL = '';
      cuda[name](); // and the next call is right
    }
  });

  itUnless(notEmulated, 'emulated faults in the first use of a device', () => {
    // Each failure leaves the device unused, until there is none: a pool, its threshold, a stream, two
    // more with an event and words and a first copy to them.
    const script = `
      const { cuda, tensor } = require('culoss');
      const use = () => {
        const x = tensor([1, 2], [2], { device: 'cuda:1' });
        const numbers = x.arraySync();
        x.dispose();
        return numbers;
      };
      tensor([1]).cuda().dispose();
      cuda.synchronize().then(() => {
        const seen = [];
        for (let n = 1; n <= 11; n++) {
          process.env.CULOSS_EMULATION_FAIL = n;
          try {
            seen.push(use());
          } catch ({ code }) {
            seen.push([code, process.env.CULOSS_EMULATION_LIVE]);
          }
          process.env.CULOSS_EMULATION_FAIL = '';
        }
        console.log(JSON.stringify([process.env.CULOSS_EMULATION_LIVE, seen, use()]));
      });`;
    const output = execFileSync(process.execPath, ['-e', script], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      encoding: 'utf8',
    });
    const [live, seen, numbers] = JSON.parse(output) as [string, [string, string][], number[]];
    for (const [code, after] of seen) {
      expect(code).to.be.oneOf(['ERR_OUT_OF_MEMORY', 'ERR_CUDA']);
      expect(after).to.equal(live);
    }
    expect(seen).to.have.length(11);
    expect(numbers).to.deep.equal([1, 2]);
  });
});
