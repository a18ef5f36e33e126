// The emulated CUDA runtime can be told to fail: the n-th allocation, copy, launch or wait of a call.
// For every n the call must throw what it was, leak nothing, and leave the next call right.
import { expect } from 'chai';
import { CulossError, cuda, type Device, type Tensor, tensor } from 'culoss';
import { criterionOf, lossNames } from './cases.mjs';
import { itUnless, numbers } from './devices.mjs';
import { expectSame } from './expect.mjs';

const isEmulated = cuda.isAvailable() && cuda.device().name === 'emulated device';
const why = isEmulated ? null : 'the CUDA runtime is not the emulated one';

/** What is allocated on the devices, once all that was enqueued is done. */
async function live(device: number): Promise<number> {
  await cuda.synchronize(device);
  return Number(process.env.CULOSS_EMULATION_LIVE);
}

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
  run: (device: Device) => number[];
}

/** Frees tensors behind a call, whether it throws or not. */
function using<R>(make: (own: (t: Tensor) => Tensor) => R): R {
  const owned: Tensor[] = [];
  const own = (t: Tensor): Tensor => {
    owned.push(t);
    return t;
  };
  try {
    return make(own);
  } finally {
    for (const t of owned) t.dispose();
  }
}

const calls: Call[] = [
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
  const check = async (run: (device: Device) => number[], index: number): Promise<number> => {
    const device = `cuda:${index}` as const;
    for (let n = 1; ; n++) {
      const before = await live(index);
      process.env.CULOSS_EMULATION_FAIL = `${n}`;
      let thrown: unknown;
      try {
        run(device);
      } catch (error) {
        thrown = error;
      } finally {
        process.env.CULOSS_EMULATION_FAIL = '';
      }
      expect(await live(index), `allocations after fault ${n}`).to.equal(before);
      if (thrown === undefined) return n - 1;
      expect(thrown, `fault ${n}`).to.be.instanceOf(CulossError);
      expect((thrown as CulossError).code).to.be.oneOf(['ERR_OUT_OF_MEMORY', 'ERR_CUDA']);
      expect((thrown as Error).message).to.match(
        /^cuda\w+|^\w+ failed: .* at native\/cuda\/\w+\.\w+:\d+$/,
      );
    }
  };

  for (const { title, run } of calls) {
    itUnless(why, `emulated faults in ${title}`, async () => {
      const expected = run('cuda:0');
      const faults = await check(run, 0);
      expect(faults).to.be.greaterThan(2);
      expectSame(run('cuda:0'), expected);
    });
  }

  itUnless(why, 'emulated faults in the first use of a device', async () => {
    const run = (device: Device): number[] =>
      using((own) => numbers(own(tensor([1, 2], [2], { device })).cpu()));
    // Each failure leaves the device unused, until there is none.
    const before = await live(0);
    for (let n = 1; n <= 5; n++) {
      process.env.CULOSS_EMULATION_FAIL = `${n}`;
      expect(() => run('cuda:1'), `fault ${n}`).to.throw(CulossError);
      process.env.CULOSS_EMULATION_FAIL = '';
      expect(await live(0), `fault ${n}`).to.equal(before);
    }
    expectSame(run('cuda:1'), [1, 2]);
  });
});
