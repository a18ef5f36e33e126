// What is thrown for wrong arguments, by name and in general.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  BinaryFocalLoss,
  CategoricalFocalLoss,
  CulossError,
  cuda,
  Stream,
  Tensor,
  tensor,
} from 'culoss';
import { losses, lossNames } from './cases.mjs';
import { itUnless, onDevices } from './devices.mjs';
import { table, wrong } from './errors.cases.mjs';
import { expectError } from './expect.mjs';

const require = createRequire(import.meta.url);
const { errorClasses } = require('../../dist/errors.js');
const p23 = [
  [0.1, 0.2, 0.3],
  [0.4, 0.5, 0.6],
];
const binary = new BinaryFocalLoss();
const categorical = new CategoricalFocalLoss();

describe('errors', () => {
  for (const [title, call, code, as, message] of table) {
    it(`${title} is ${code}`, () => expectError(call, code, as, message));
  }

  it('options with a getter that throws pass the error on', () => {
    const thrown = new Error('mine');
    const options = {
      get gamma(): number {
        throw thrown;
      },
    };
    expect(() => new BinaryFocalLoss(options)).to.throw(thrown);
  });

  it('a proxy, a revoked one, and a class without new are refused without a crash', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(() => binary.forward(wrong(proxy), [0])).to.throw(TypeError);
    expect(() => binary.forward(new Proxy(p23, {}), [0, 1])).not.to.throw();
    expect(() => Reflect.apply(wrong(BinaryFocalLoss), undefined, [{}])).to.throw(TypeError);
    expect(() => Reflect.construct(Tensor, [])).to.throw(TypeError);
    expect(() => binary.forward.call(wrong({}), p23, [0, 1])).to.throw(TypeError);
    expect(() => Tensor.prototype.dataSync.call(wrong({}))).to.throw(TypeError);
  });

  const usable = cuda.isAvailable() ? 'a CUDA device can be used here' : null;
  itUnless(usable, 'without CUDA, asking for it is ERR_CUDA_UNAVAILABLE with the reason', () => {
    const reason = cuda.unavailableReason;
    expect(reason).to.have.keys('code', 'message', 'hint');
    const message = `device: ${reason?.message}; ${reason?.hint}`;
    for (const call of [
      () => tensor([1]).cuda(),
      () => binary.cuda(),
      () => categorical.to('cuda:0'),
    ]) {
      expectError(call, 'ERR_CUDA_UNAVAILABLE', CulossError, message);
    }
    for (const call of [
      () => cuda.device(),
      () => cuda.memory(),
      () => cuda.resetPeakMemory(),
      () => cuda.emptyCache(),
      () => new Stream(),
      () => cuda.graph(() => 1),
    ]) {
      expectError(call, 'ERR_CUDA_UNAVAILABLE', CulossError, /^index: /);
    }
  });

  it('the codes of the README are those of lib/errors.ts, and each has a test', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const codes = [...readme.matchAll(/^\| `(ERR_\w+)` \|/gm)].map(([, code]) => code);
    expect(codes.sort()).to.deep.equal(Object.keys(errorClasses).sort());
    // The first three stand below; ERR_CUDA needs a CUDA call that fails.
    const others = ['ERR_CUDA_UNAVAILABLE', 'ERR_OUT_OF_MEMORY', 'ERR_NATIVE_LOAD', 'ERR_CUDA'];
    const tested = new Set([...table.map(([, , code]) => code), ...others]);
    expect([...tested].sort()).to.deep.equal(codes);
  });

  it('an output that the host has no memory for is ERR_OUT_OF_MEMORY', () => {
    const { empty } = require('../../dist/tensor.js');
    const message = 'the host has no 4503599627370496 bytes for 1125899906842624 of float32';
    const call = (): unknown => empty([2 ** 25, 2 ** 25], 'float32', 'cpu');
    expectError(call, 'ERR_OUT_OF_MEMORY', CulossError, message);
  });

  it('a package without its addon is ERR_NATIVE_LOAD, with what would help', () => {
    const folder = mkdtempSync(join(tmpdir(), 'culoss-'));
    cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(folder, 'dist'), {
      recursive: true,
    });
    symlinkSync(
      fileURLToPath(new URL('../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    );
    const load = (): unknown => require(join(folder, 'dist/index.js'));
    const help =
      /^the native addon of culoss could not be loaded for linux-[\s\S]*the package is not whole/;
    let error: unknown;
    try {
      load();
    } catch (thrown) {
      error = thrown;
    }
    rmSync(folder, { recursive: true });
    expect(error).to.have.property('code', 'ERR_NATIVE_LOAD');
    expect((error as Error).message).to.match(help);
  });

  it('no environment variable puts another addon in its place', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const folder = mkdtempSync(join(tmpdir(), 'culoss-'));
    cpSync(join(root, 'build/Release'), join(folder, 'build/Release'), { recursive: true });
    const script = `require('culoss');
      console.log(require('fs').readFileSync('/proc/self/maps', 'utf8').match(/\\S*culoss\\.node/)[0]);`;
    const { stderr, stdout } = spawnSync(process.execPath, ['-e', script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, CULOSS_PREBUILD: folder },
    });
    rmSync(folder, { recursive: true });
    expect(stderr).to.equal('');
    expect(stdout).to.equal(`${root}build/Release/culoss.node\n`);
  });

  it('what native code throws gets the class of its code', () => {
    const { native } = require('../../dist/errors.js');
    for (const [code, as] of Object.entries(errorClasses)) {
      const raise = () => {
        throw Object.assign(new Error('why'), { code });
      };
      expectError(() => native(raise), code, as as never, 'why');
    }
  });

  onDevices(
    'a bad class id on a device is thrown at the next read, and the device goes on',
    (device) => {
      for (const name of lossNames) {
        const x = tensor(p23, undefined, { device });
        const bad = tensor(new Int32Array([0, 7]), [2], { device });
        const criterion = new losses[name]();
        expectError(
          () => criterion.valueAndGrad(x, bad).loss.item(),
          'ERR_TARGET_RANGE',
          RangeError,
          'targets[1]: expected a class id in [0, 3), got 7',
        );
        const huge = tensor([2n ** 53n + 1n, 0n], [2], { dtype: 'int64', device });
        expectError(
          () => criterion.valueAndGrad(x, huge).loss.item(),
          'ERR_TARGET_RANGE',
          RangeError,
          'targets[0]: expected a class id in [0, 3), got 9007199254740993',
        );
        const good = tensor(new Int32Array([0, 1]), [2], { device });
        expect(criterion.forward(x, good).item()).to.be.greaterThan(0);
      }
    },
  );
});
