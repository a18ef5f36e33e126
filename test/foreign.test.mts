// Memory of others: addresses, tensors over them, and memory that is pinned.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BinaryFocalLoss, CulossError, cuda, Stream, Tensor, tensor } from 'culoss';
import { batchOf, criterionOf } from './cases.mjs';
import {
  collectGarbage,
  forgetWhatIsLost,
  itUnless,
  liveOn,
  notEmulated,
  numbers,
  onCuda,
  onDevices,
} from './devices.mjs';
import { expectClose, expectError, expectRejection, expectSame } from './expect.mjs';

const { inputs, ids } = batchOf([33, 5], 'logits');
const criterion = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' });
const dtypes = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8'] as const;

/** Until what was begun beside the thread of JavaScript is over. */
const settled = async (): Promise<void> => {
  await cuda.synchronize();
  await new Promise((done) => setTimeout(done, 20));
};

describe('memory of others', () => {
  it('foreign: the address of a tensor is that of its elements', () => {
    const data = new Float32Array(8);
    const [whole, part] = [tensor(data), tensor(data.subarray(3))];
    expect(part.address - whole.address).to.equal(12n);
    expect(tensor([], [0, 3]).address).to.equal(0n);
    part.dispose();
    expectError(() => part.address, 'ERR_DISPOSED', CulossError, /^tensor/);
  });

  onDevices('foreign: a tensor over an address is the memory that is there', (device) => {
    for (const dtype of dtypes) {
      const owner = tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        undefined,
        { dtype, device },
      );
      const same = Tensor.fromAddress(owner.address, [6], { dtype, device });
      expect([same.dtype, same.device, same.shape]).to.deep.equal([dtype, owner.device, [6]]);
      expect(numbers(same)).to.deep.equal([1, 2, 3, 4, 5, 6]);
      same.set(tensor([9, 8, 7, 6, 5, 4], undefined, { dtype, device }));
      expect(numbers(owner)).to.deep.equal([9, 8, 7, 6, 5, 4]);
      same.dispose();
      expect(numbers(owner)).to.deep.equal([9, 8, 7, 6, 5, 4]);
    }
  });

  onDevices('foreign: calls read and write it', async (device) => {
    const owner = tensor(inputs, undefined, { device });
    const expected = criterion.valueAndGrad(owner, ids);
    const room = tensor(new Float32Array(33 * 5), [33, 5], { device });
    const x = Tensor.fromAddress(owner.address, [33, 5], { device });
    const outGrad = Tensor.fromAddress(room.address, [33, 5], { device });
    for (const call of ['valueAndGrad', 'valueAndGradAsync'] as const) {
      room.set(new Float32Array(33 * 5));
      const { loss } = await criterion[call](x, ids, { outGrad });
      expect(loss.item()).to.equal(expected.loss.item());
      expectSame(numbers(room), numbers(expected.grad));
    }
  });

  it('foreign: the owner is told once, and no view is left', () => {
    const owner = tensor(new Float32Array([1, 2, 3]));
    let told = 0;
    const same = Tensor.fromAddress(owner.address, [3], { release: () => ++told });
    const view = same.dataSync();
    expect(view).to.deep.equal(new Float32Array([1, 2, 3]));
    same.dispose();
    same.dispose();
    expect([told, view.length, owner.dataSync().length]).to.deep.equal([1, 0, 3]);
  });

  it('foreign: the owner is told when the collector has come to it', async () => {
    const owner = tensor(new Float32Array([1, 2, 3]));
    let told = 0;
    (() => Tensor.fromAddress(owner.address, [3], { release: () => ++told }))();
    for (let i = 0; i < 20 && told === 0; i++) {
      collectGarbage();
      await new Promise((done) => setTimeout(done, 5));
    }
    expect(told).to.equal(1);
  });

  it('foreign: an async call keeps it, though the tensor is disposed', async () => {
    const owner = tensor(new Float32Array(2_000_000).fill(0.3), [20_000, 100]);
    const expected = new BinaryFocalLoss().forward(owner, new Int32Array(20_000)).item();
    for (const copy of [false, true]) {
      let isTold = false;
      const release = (): void => {
        isTold = true;
      };
      const x = Tensor.fromAddress(owner.address, owner.shape, { release });
      const call = new BinaryFocalLoss().forwardAsync(x, new Int32Array(20_000), { copy });
      x.dispose();
      expect(isTold).to.equal(false);
      expect((await call).item()).to.equal(expected);
      expect(isTold).to.equal(true);
    }
  });

  it('foreign: another view of the same memory holds it, too, and nobody is told twice', async () => {
    const owner = tensor(new Float32Array(2_000_000).fill(0.3), [20_000, 100]);
    const ids = new Int32Array(20_000);
    const expected = new BinaryFocalLoss().forward(owner, ids).item();
    let told = 0;
    const same = Tensor.fromAddress(owner.address, [2_000_000], { release: () => ++told });
    const view = { data: (same.dataSync() as Float32Array).subarray(0), shape: owner.shape };
    const alias = tensor(same.dataSync() as Float32Array, [20_000, 100]);
    const calls = [view, alias].map((x) => new BinaryFocalLoss().forwardAsync(x, ids));
    same.dispose();
    expect(told).to.equal(0);
    for (const call of calls) expect((await call).item()).to.equal(expected);
    expect(told).to.equal(1);
    await expectRejection(new BinaryFocalLoss().forwardAsync(alias, ids), 'ERR_SHAPE');
    expect(told).to.equal(1);
    expectError(
      () => alias.address,
      'ERR_SHAPE',
      RangeError,
      /^tensor: expected memory of 2000000/,
    );
  });

  it('foreign: reads of what is disposed behind them give what was there', async () => {
    const owner = tensor([[1, 2]]);
    const same = Tensor.fromAddress(owner.address, [1, 2]);
    const one = Tensor.fromAddress(owner.address, [1]);
    const reads = [same.array(), one.itemAsync()];
    for (const each of [same, one]) each.dispose();
    owner.set(new Float32Array([8, 9]));
    expect(await Promise.all(reads)).to.deep.equal([[[1, 2]], 1]);
  });

  it('foreign: what a release throws is an uncaught exception, and no error of a call', () => {
    const script = `
      const { BinaryFocalLoss, Tensor, tensor } = require('culoss');
      const owner = tensor([[0.25, 0.75]]);
      const release = () => { throw new Error('mine'); };
      const same = () => Tensor.fromAddress(owner.address, [1, 2], { release });
      process.on('uncaughtException', ({ message }) => console.log(message));
      same().dispose();
      const x = same();
      new BinaryFocalLoss().forwardAsync(x, [1]).then((loss) => console.log(loss.item().toFixed(4)));
      x.dispose();`;
    const output = execFileSync(process.execPath, ['-e', script], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      encoding: 'utf8',
    });
    expect(output.trim().split('\n').sort()).to.deep.equal(['0.0180', 'mine', 'mine']);
  });

  it('foreign: what is no address, no memory or no shape is refused', () => {
    const { address } = tensor(new Float32Array(4));
    const make = (...given: unknown[]): (() => unknown) => {
      return () => Tensor.fromAddress(...(given as [bigint, number[]]));
    };
    const wanted =
      /^address: expected where 16 bytes are, a bigint above 0 and a multiple of 4, got/;
    for (const wrong of [0n, -4n, 2n ** 64n, address + 1n, 2n ** 64n - 4n]) {
      expectError(make(wrong, [4]), 'ERR_OPTION', RangeError, wanted);
    }
    for (const wrong of [Number(address), '4', null, undefined]) {
      expectError(make(wrong, [4]), 'ERR_OPTION', TypeError, wanted);
    }
    for (const wrong of [[0], [-1], [2 ** 52, 2], [2 ** 45], 4, undefined]) {
      expectError(make(address, wrong), 'ERR_SHAPE', RangeError, /^shape: expected/);
    }
    expectError(make(address, [4], { dtype: 'int8' }), 'ERR_DTYPE', TypeError, /^options.dtype/);
    expectError(make(address, [4], { release: 1 }), 'ERR_OPTION', TypeError, /^options.release/);
    expectError(make(address, [4], { free: 1 }), 'ERR_OPTION', RangeError, /^options: expected/);
    expectError(
      make(address, [4], { device: 'gpu' }),
      'ERR_DEVICE',
      CulossError,
      /^options.device/,
    );
  });

  onCuda('foreign: an address that is not of the device is refused cuda:0', () => {
    const options = { device: 'cuda:0' } as const;
    const host = tensor([1, 2, 3, 4]);
    expectError(
      () => Tensor.fromAddress(host.address, [4], options),
      'ERR_DEVICE',
      CulossError,
      /^address: expected memory of cuda:0, got memory (that CUDA does not know|of the host)$/,
    );
    const pinned = host.pinMemory();
    expectError(
      () => Tensor.fromAddress(pinned.address, [4], options),
      'ERR_DEVICE',
      CulossError,
      'address: expected memory of cuda:0, got memory of the host',
    );
    const there = tensor([1, 2, 3, 4]).cuda();
    expectError(
      () => Tensor.fromAddress(there.address + 8n, [2 ** 22], options),
      'ERR_SHAPE',
      RangeError,
      /^shape: expected at most \d+ bytes, to the end of the memory, got 16777216$/,
    );
  });

  onCuda('foreign: the owner is told when the device has come to the last use cuda:0', async () => {
    const owner = tensor(inputs, undefined, { device: 'cuda:0' });
    const expected = criterion.forward(owner, ids).item();
    const events: string[] = [];
    const make = (name: string): Tensor =>
      Tensor.fromAddress(owner.address, [33, 5], {
        device: 'cuda:0',
        release: () => events.push(name),
      });
    using stream = new Stream();
    const [first, second, kept] = [make('first'), make('second'), make('kept')];
    const loss = stream.run(() => criterion.forward(first, ids));
    const graph = cuda.graph(() => criterion.forward(kept, ids));
    for (const one of [first, second, kept]) one.dispose();
    expect(events, 'not within dispose').to.deep.equal([]);
    await settled();
    expect(events).to.have.members(['first', 'second']);
    expect(loss.item()).to.equal(expected);
    graph.replay(); // which keeps its memory
    expect(graph.result.item()).to.equal(expected);
    graph.dispose();
    await settled();
    expect(events).to.include('kept');
    expect(numbers(owner)).to.deep.equal(inputs.flat().map(Math.fround));
  });

  itUnless(notEmulated, 'emulated memory of others: told when the device is there', async () => {
    const owner = tensor(inputs, undefined, { device: 'cuda:0' });
    let isTold = false;
    const release = (): void => {
      isTold = true;
    };
    const x = Tensor.fromAddress(owner.address, [33, 5], { device: 'cuda:0', release });
    const loss = criterion.forward(x, ids);
    process.env.CULOSS_EMULATION_BUSY = '100';
    x.dispose();
    delete process.env.CULOSS_EMULATION_BUSY;
    await new Promise((done) => setTimeout(done, 50));
    expect(isTold).to.equal(false);
    await new Promise((done) => setTimeout(done, 100));
    expect(isTold).to.equal(true);
    expect(loss.item()).to.equal(criterion.forward(owner, ids).item());
  });

  onCuda('pinned memory holds what other memory does cuda:0', () => {
    for (const dtype of dtypes) {
      const plain = tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        undefined,
        { dtype },
      );
      const pinned = plain.pinMemory();
      expect(pinned).not.to.equal(plain);
      expect(pinned.pinMemory()).to.equal(pinned);
      expect([pinned.shape, pinned.dtype, pinned.device]).to.deep.equal([[2, 3], dtype, 'cpu']);
      expect(numbers(pinned.cuda())).to.deep.equal([1, 2, 3, 4, 5, 6]);
      (pinned.dataSync() as Float32Array).fill(dtype === 'int64' ? (7n as never) : 0);
      expect(numbers(plain)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    }
    expect(tensor([], [0]).pinMemory().size).to.equal(0);
    const there = tensor([1]).cuda();
    expectError(
      () => there.pinMemory(),
      'ERR_DEVICE',
      CulossError,
      /^tensor: expected one on the CPU/,
    );
  });

  onCuda('pinned memory is read before a copy returns cuda:0', () => {
    const pinned = tensor(new Float32Array(1000).fill(1)).pinMemory();
    const data = pinned.dataSync() as Float32Array;
    const there = pinned.cuda();
    data.fill(2);
    const set = tensor(new Float32Array(1000))
      .cuda()
      .set(data as never);
    data.fill(3);
    expect([numbers(there)[999], numbers(set)[999]]).to.deep.equal([1, 2]);
  });

  onCuda('shared memory: another process reads and writes it cuda:0', async () => {
    const shared = { device: 'cuda:0', shareable: true } as const;
    const x = tensor(inputs, undefined, shared);
    const room = tensor(new Float32Array(2 * 33 * 5), [2, 33, 5], shared);
    await cuda.synchronize();
    const script = `
      const { CategoricalFocalLoss, cuda, Tensor } = require('culoss');
      const { handles, ids } = JSON.parse(process.argv[1]);
      const [x, room] = handles.map((handle) => Uint8Array.from(handle));
      (async () => {
        const outGrad = Tensor.fromIpcHandle(room, [33, 5], { offset: 4 * 33 * 5 });
        const inputs = Tensor.fromIpcHandle(x, [33, 5], { dtype: 'float32', device: 'cuda:0' });
        for (const offset of [0, 8 * 33 * 5]) {
          try {
            Tensor.fromIpcHandle(room, [2 ** 22], { offset });
          } catch ({ code }) {
            console.log(code);
          }
        }
        const criterion = new CategoricalFocalLoss({ from: 'logits' });
        const { loss } = criterion.valueAndGrad(inputs, ids, { outGrad });
        console.log(await loss.itemAsync());
        for (const one of [inputs, outGrad, loss]) one.dispose();
      })();`;
    const handles = [x, room].map((one) => [...one.ipcHandle()]);
    const argument = JSON.stringify({ handles, ids });
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script, argument], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stderr).to.equal('');
    const { loss, grad } = criterion.valueAndGrad(tensor(inputs).cuda(), ids);
    const [first, second, given] = stdout.trim().split('\n');
    expect(first).to.equal('ERR_SHAPE');
    expect(second).to.match(/^ERR_(SHAPE|DEVICE)$/); // it begins behind the memory
    expectClose([Number(given)], [loss.item()], { relative: 1e-6 });
    const written = numbers(room);
    // Rows that lie elsewhere are summed in another order.
    expectClose(written.slice(33 * 5), numbers(grad), { relative: 1e-5, absolute: 1e-9 });
    expectSame(written.slice(0, 33 * 5), Array(33 * 5).fill(0));
    for (const one of [x, room]) one.dispose();
  });

  onCuda('shared memory: what cannot be shared, or opened, is refused cuda:0', () => {
    const [there, here] = [tensor([1]).cuda(), tensor([1])];
    for (const one of [there, here]) {
      const message =
        /^tensor.ipcHandle: expected a tensor that was made with shareable: true, got T/;
      expectError(() => one.ipcHandle(), 'ERR_OPTION', RangeError, message);
    }
    const make = (...given: unknown[]): (() => unknown) => {
      return () => Tensor.fromIpcHandle(...(given as [Uint8Array, number[]]));
    };
    const handle = new Uint8Array(64);
    expectError(make(handle, [1]), 'ERR_CUDA', CulossError, /^cudaIpcOpenMemHandle failed/);
    expectError(
      make('handle', [1]),
      'ERR_OPTION',
      TypeError,
      /^handle: expected a Uint8Array of 64/,
    );
    expectError(
      make(handle.subarray(1), [1]),
      'ERR_OPTION',
      RangeError,
      /^handle: expected 64 bytes/,
    );
    expectError(
      make(handle, [0]),
      'ERR_SHAPE',
      RangeError,
      /^shape: expected at least one element/,
    );
    for (const offset of [-4, 2, Number.NaN, '4']) {
      expectError(
        make(handle, [1], { offset }),
        'ERR_OPTION',
        RangeError,
        /^options.offset: expec/,
      );
    }
    expectError(make(handle, [1], { device: 'cpu' }), 'ERR_DEVICE', CulossError, /^options.device/);
    const shareable = true;
    expectError(
      () => tensor([1], [1], { shareable }),
      'ERR_DEVICE',
      CulossError,
      /^options.device/,
    );
    expectError(
      () => tensor([], [0], { device: 'cuda', shareable }),
      'ERR_SHAPE',
      RangeError,
      /^shape: expected at least one element/,
    );
  });

  itUnless(notEmulated, 'emulated shared memory: nothing is left of it', async () => {
    await forgetWhatIsLost();
    const before = await liveOn(0);
    const x = tensor(inputs, undefined, { device: 'cuda:0', shareable: true });
    const loss = criterion.forward(x, ids);
    expectError(
      () => Tensor.fromIpcHandle(x.ipcHandle(), [33, 5]), // of the process itself
      'ERR_CUDA',
      CulossError,
      /^cudaIpcOpenMemHandle failed/,
    );
    x.dispose();
    loss.item();
    loss.dispose();
    expect(await liveOn(0)).to.equal(before);
  });

  itUnless(cuda.unavailableReason ? null : 'there is CUDA', 'pinned memory needs CUDA', () => {
    expectError(
      () => tensor([1]).pinMemory(),
      'ERR_CUDA_UNAVAILABLE',
      CulossError,
      /^tensor.pinMem/,
    );
  });

  itUnless(notEmulated, 'emulated pinned memory is given back', async () => {
    await forgetWhatIsLost();
    const before = await liveOn(0);
    const pinned = tensor([1, 2]).pinMemory();
    const view = pinned.dataSync();
    expect(await liveOn(0)).to.equal(before + 1);
    pinned.dispose();
    expect([view.length, await liveOn(0)]).to.deep.equal([0, before]);
    (() => tensor([1, 2]).pinMemory())();
    expect(await liveOn(0)).to.equal(before + 1);
    for (let i = 0; i < 20 && (await liveOn(0)) > before; i++) await forgetWhatIsLost();
    expect(await liveOn(0)).to.equal(before);
  });
});
