// Worker threads, and the end of them and of processes, while calls are under way.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { itUnless } from './devices.mjs';

const cwd = fileURLToPath(new URL('../../', import.meta.url));

/** What a program prints that ends well. */
function run(script: string): string {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['-e', script], {
    ...{ cwd, encoding: 'utf8', timeout: 100_000 },
  });
  expect({ stderr, status, signal }).to.deep.equal({ stderr: '', status: 0, signal: null });
  return stdout.trim();
}

/** Calls that go on for ever, of an array that is shared, or of the worker's own. */
const calling = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { CategoricalFocalLoss, tensor } = require('culoss');
  const criterion = new CategoricalFocalLoss({ from: 'logits' });
  const [rows, columns] = [5000, 100];
  const numbers = new Float32Array(workerData.shared ?? new ArrayBuffer(4 * rows * columns));
  const x = tensor(numbers, [rows, columns]);
  const y = tensor(new Int32Array(rows), [rows]);
  const forever = async () => {
    parentPort.postMessage('calling');
    if (workerData.kind === 'sync') for (;;) criterion.valueAndGrad(x, y);
    for (;;) {
      const calls = [0, 1, 2].map(() => criterion.valueAndGradAsync(x, y));
      await Promise.all(calls);
    }
  };`;

describe('workers', () => {
  it('100 workers are terminated in the middle of a call, and others go on', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const { BinaryFocalLoss } = require('culoss');
      const criterion = new BinaryFocalLoss();
      const shared = new SharedArrayBuffer(4 * 5000 * 100);
      const one = async (i) => {
        const workerData = { kind: i % 3 ? 'async' : 'sync', shared: i % 2 ? shared : undefined };
        const worker = new Worker(${JSON.stringify(`${calling} forever();`)}, { eval: true, workerData });
        await new Promise((calling, fail) => worker.once('message', calling).once('error', fail));
        await new Promise((done) => setTimeout(done, i % 5));
        return worker.terminate();
      };
      (async () => {
        const expected = criterion.forward([[0.25, 0.75]], [1]).item();
        let terminated = 0;
        for (let i = 0; i < 100; i += 4) {
          const codes = await Promise.all([i, i + 1, i + 2, i + 3].map(one));
          terminated += codes.filter((code) => code === 1).length;
          const loss = await criterion.forwardAsync([[0.25, 0.75]], [1]);
          if (loss.item() !== expected) throw new Error('another loss');
        }
        console.log(terminated);
      })();`;
    expect(run(script)).to.equal('100');
  });

  it('two workers call on the memory of one tensor at once', () => {
    const worker = `${calling}
      criterion.valueAndGradAsync(x, y).then(({ loss, grad }) =>
        parentPort.postMessage([loss.item(), grad.dataSync().at(-1)]));`;
    const script = `
      const { Worker } = require('node:worker_threads');
      const shared = new SharedArrayBuffer(4 * 5000 * 100);
      new Float32Array(shared).forEach((_, i, all) => { all[i] = i % 7; });
      const one = () => new Promise((done, fail) => {
        new Worker(${JSON.stringify(worker)}, { eval: true, workerData: { shared } })
          .once('message', done).once('error', fail);
      });
      Promise.all([one(), one(), one()]).then((found) => console.log(JSON.stringify(found)));`;
    const [first, ...others] = JSON.parse(run(script)) as unknown[];
    expect(first).to.have.length(2);
    for (const other of others) expect(other).to.deep.equal(first);
  });

  const call = `
    const { BinaryFocalLoss, tensor } = require('culoss');
    const x = tensor(new Float32Array(1e7).fill(0.3), [1e5, 100]);
    const y = tensor(new Int32Array(1e5), [1e5]);
    const call = new BinaryFocalLoss().forwardAsync(x, y);`;

  it('a process ends when its calls are done, and not before', () => {
    expect(run(`${call} call.then((loss) => console.log(loss.size));`)).to.equal('1');
    expect(run(`${call} process.on('exit', () => console.log('end'));`)).to.equal('end');
  });

  it('a process may end in the middle of a call', () => {
    expect(run(`${call} setTimeout(() => process.exit(0), 1);`)).to.equal('');
  });

  itUnless(null, 'calls of all kinds on workers that come and go leave no memory behind', () => {
    const soak = ['out/scripts/soak/main.mjs', '--seconds', '8'];
    const { stdout, stderr, status } = spawnSync(process.execPath, soak, { cwd, encoding: 'utf8' });
    expect({ stderr, status }).to.deep.equal({ stderr: '', status: 0 });
    return stdout.trim();
  });
});
