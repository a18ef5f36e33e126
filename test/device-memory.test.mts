// Memory of a device: what is allocated, reserved, lost and given back.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CulossError, cuda, tensor } from 'culoss';
import {
  callsOf,
  collectGarbage,
  forgetWhatIsLost,
  itUnless,
  notEmulated,
  numbers,
  onCuda,
} from './devices.mjs';
import { expectError, expectRejection } from './expect.mjs';

/** Where nothing else is collected. */
function inProcess(script: string, debug = '') {
  return spawnSync(process.execPath, ['--expose-gc', '-e', script], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: { ...process.env, CULOSS_DEBUG: debug },
    encoding: 'utf8',
  });
}

describe('memory of a device', () => {
  onCuda('memory: what is allocated, and the most of it cuda:0', () => {
    const bytes = 2 ** 26;
    const script = `
      const { cuda, tensor } = require('culoss');
      const data = new Uint8Array(${bytes});
      const seen = [];
      const look = async () => {
        await cuda.synchronize();
        const { allocated, peak } = cuda.memory();
        seen.push([allocated, peak]);
      };
      (async () => {
        tensor(data.subarray(0, 4)).cuda().dispose(); // what a device keeps for itself
        await look();
        const [kept, freed] = [tensor(data).cuda(), tensor(data).cuda()];
        await look();
        freed.dispose();
        await look();
        cuda.resetPeakMemory();
        await look();
        tensor(data).cuda().dispose();
        await look();
        kept.dispose();
        await look();
        console.log(JSON.stringify(seen));
      })();`;
    const seen = JSON.parse(inProcess(script).stdout) as [number, number][];
    const start = seen[0]?.[0] as number;
    const [none, one, two] = [start, start + bytes, start + 2 * bytes] as const;
    const [, ...steps] = seen;
    expect(steps).to.deep.equal([
      [two, two],
      [one, two],
      [one, one],
      [one, two],
      [none, two],
    ]);
  });

  onCuda('memory: what is freed stays reserved, until the cache is emptied cuda:0', async () => {
    const bytes = 2 ** 26;
    cuda.emptyCache();
    using kept = tensor([1, 2, 3]).cuda();
    const freed = tensor(new Uint8Array(bytes)).cuda();
    const { reserved } = cuda.memory();
    expect(reserved).to.be.at.least(cuda.memory().allocated);
    freed.dispose();
    await cuda.synchronize();
    expect(cuda.memory().reserved).to.equal(reserved);
    cuda.emptyCache();
    const left = cuda.memory();
    expect(left.reserved).to.be.at.least(left.allocated);
    expect(left.reserved).to.be.lessThan(reserved);
    expect(numbers(kept)).to.deep.equal([1, 2, 3]);
  });

  onCuda('memory: a loop of awaits in which nothing is disposed stays small cuda:0', async () => {
    const [steps, bytes] = [2000, 2 ** 20];
    const data = new Uint8Array(bytes);
    using probe = tensor([1]).cuda();
    await cuda.synchronize();
    const start = cuda.memory();
    let most = 0;
    for (let i = 0; i < steps; ++i) {
      tensor(data).cuda();
      await null; // no finaliser runs meanwhile
      probe.item(); // an emulated device does nothing but for those who wait
      most = Math.max(most, cuda.memory().allocated);
    }
    expect(most - start.allocated).to.be.lessThan(0.4 * steps * bytes);
    expect(cuda.memory().leaks - start.leaks).to.be.greaterThan(0.6 * steps);
    return `at most ${Math.ceil((most - start.allocated) / bytes)} of ${steps} lost tensors at once`;
  });

  onCuda('memory: what was disposed is no leak cuda:0', () => {
    const script = `
      const { cuda, tensor } = require('culoss');
      const collected = async () => {
        gc();
        await new Promise((done) => setTimeout(done, 10));
        return cuda.memory().leaks;
      };
      (async () => {
        for (let i = 0; i < 100; ++i) tensor([i]).cuda().dispose();
        const none = await collected();
        for (let i = 0; i < 100; ++i) tensor([i]).cuda();
        console.log(JSON.stringify([none, await collected()]));
      })();`;
    const [none, all] = JSON.parse(inProcess(script).stdout) as [number, number];
    expect(none).to.equal(0);
    expect(all).to.be.within(99, 100); // the last one may still be on the stack
  });

  onCuda('memory: CULOSS_DEBUG=1 says where a leak was made cuda:0', () => {
    const script = `
      const { tensor } = require('culoss');
      function makeOne() { tensor([[1, 2]]).cuda(); }
      makeOne();
      tensor([3]).cuda().dispose();
      gc();
      setTimeout(() => {}, 10);`;
    const message =
      /CulossLeak: Tensor float32 \[1, 2\] on cuda:0 was never disposed\. It was made\n/;
    const { stderr } = inProcess(script, '1');
    expect(stderr).to.match(message).and.to.include('at makeOne');
    expect(stderr.match(/CulossLeak/g)).to.have.length(1);
    expect(inProcess(script).stderr).not.to.include('CulossLeak');
  });

  itUnless(
    notEmulated,
    'emulated memory that is short: the error says what was asked and what is free',
    () => {
      process.env.CULOSS_EMULATION_FAIL = '1';
      expectError(
        () => tensor(new Float32Array(1000)).cuda(),
        'ERR_OUT_OF_MEMORY',
        CulossError,
        /^cuda:0: expected 4000 bytes of memory, got a device with \d+ of \d+ free$/,
      );
      process.env.CULOSS_EMULATION_FAIL = '';
      tensor([1]).cuda().dispose(); // the process goes on
    },
  );

  itUnless(
    notEmulated,
    'emulated memory that is short: what the collector has taken is given first',
    () => {
      const { leaks } = cuda.memory();
      for (let i = 0; i < 20; ++i) tensor([i]).cuda();
      collectGarbage();
      process.env.CULOSS_EMULATION_FAIL = '1';
      using last = tensor([7]).cuda();
      process.env.CULOSS_EMULATION_FAIL = '';
      expect(last.item()).to.equal(7);
      expect(cuda.memory().leaks).to.be.at.least(leaks + 19);
    },
  );

  itUnless(notEmulated, 'emulated memory, its peak and its cache wait for nothing', () => {
    using x = tensor([1]).cuda();
    const calls = callsOf(() => {
      x.set(new Float32Array(1));
      cuda.memory();
      cuda.resetPeakMemory();
      cuda.emptyCache();
    });
    expect(calls.slice(calls.indexOf('cudaMemPoolGetAttribute'))).to.deep.equal([
      ...Array(3).fill('cudaMemPoolGetAttribute'),
      'cudaMemPoolSetAttribute',
      'cudaMemPoolTrimTo',
    ]);
  });

  onCuda('memory: nothing is allocated beyond a limit, until that is lifted cuda:0', async () => {
    const mega = new Uint8Array(2 ** 20);
    await forgetWhatIsLost();
    await cuda.synchronize();
    expect(cuda.memory().limit).to.equal(null);
    const limit = cuda.memory().allocated + 2 * mega.length;
    cuda.setMemoryLimit(limit);
    try {
      expect(cuda.memory().limit).to.equal(limit);
      using first = tensor(mega).cuda();
      const second = tensor(mega.subarray(0, 2 ** 19)).cuda();
      const message = new RegExp(
        `^cuda:0: expected 1048576 bytes of memory, got a limit of ${limit} with \\d+ allocated$`,
      );
      expectError(() => tensor(mega).cuda(), 'ERR_OUT_OF_MEMORY', CulossError, message);
      await expectRejection(first.data(), 'ERR_OUT_OF_MEMORY'); // which takes a copy
      second.dispose();
      tensor(mega.subarray(0, 2 ** 19))
        .cuda()
        .dispose(); // what was freed is waited for
      expect((await first.data()).length).to.equal(mega.length);
    } finally {
      cuda.setMemoryLimit(null);
    }
    tensor(new Uint8Array(2 ** 22))
      .cuda()
      .dispose();
    for (const bytes of [-1, 0.5, Number.NaN, 2 ** 60]) {
      expectError(() => cuda.setMemoryLimit(bytes), 'ERR_OPTION', RangeError, /^bytes: expected a/);
    }
    expectError(() => cuda.setMemoryLimit('1' as never), 'ERR_OPTION', TypeError, /^bytes/);
  });

  onCuda('memory of a device that is not there is ERR_DEVICE cuda:0', () => {
    const count = cuda.deviceCount();
    const message = `index: expected one of ${count} CUDA devices, got cuda:${count}`;
    for (const name of ['memory', 'resetPeakMemory', 'emptyCache'] as const) {
      expectError(() => cuda[name](count), 'ERR_DEVICE', CulossError, message);
    }
  });
});
