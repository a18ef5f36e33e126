// The package as its users load it.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as esm from 'culoss';
import * as tfjs from 'culoss/tfjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = require('../../package.json');

describe('package', () => {
  it('import and require give the same classes', () => {
    const cjs = require('culoss');
    expect(Object.keys(esm).sort()).to.deep.equal(Object.keys(cjs).sort());
    for (const [name, value] of Object.entries(esm)) expect(cjs[name], name).to.equal(value);
    expect(require('culoss/package.json').name).to.equal('culoss');
    expect({ ...tfjs }).to.deep.equal({ ...require('culoss/tfjs') });
  });

  it('has no install script, and as many scripts as one can remember', () => {
    const names = Object.keys(manifest.scripts);
    expect(names.filter((name) => /install|prepare|^prebuild$/.test(name))).to.deep.equal([]);
    expect(names.length).to.be.at.most(10);
  });

  it('has few dependencies: none but those of the command line has any, and none an install script', () => {
    expect(manifest.dependencies).to.have.all.keys(
      'cli-progress',
      'node-gyp-build',
      'npyjs',
      'simple-statistics',
    );
    const lock = require('../../package-lock.json').packages as Record<
      string,
      {
        dev?: boolean;
        optional?: boolean;
        peer?: boolean;
        hasInstallScript?: boolean;
        dependencies?: object;
      }
    >;
    for (const name of ['node-gyp-build', 'simple-statistics']) {
      expect(lock[`node_modules/${name}`]?.dependencies ?? {}, name).to.deep.equal({});
    }
    const shipped = Object.entries(lock).filter(
      ([path, { dev, peer }]) => path !== '' && !dev && !peer,
    );
    expect(shipped.length).to.be.within(5, 20);
    for (const [path, { hasInstallScript }] of shipped) {
      expect(hasInstallScript ?? false, path).to.equal(false);
    }
  });

  it('loads nothing that could start a program, open a connection or compile code', () => {
    const script = `
      const before = new Set(process.moduleLoadList);
      const { BinaryFocalLoss } = require('culoss');
      new BinaryFocalLoss().forwardAsync([[0.25]], [0]).then(() => {
        const added = process.moduleLoadList.filter((name) => !before.has(name));
        console.log(JSON.stringify(added));
      });`;
    const output = execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' });
    const added = JSON.parse(output) as string[];
    expect(added.length).to.be.greaterThan(0);
    const names = added.map((name) => name.replace(/^.* /, ''));
    const refused =
      /^(child_process|cluster|dgram|dns|http|http2|https|inspector|net|tls|vm|wasi)$/;
    expect(names.filter((name) => refused.test(name))).to.deep.equal([]);
  });

  it('takes CULOSS_NUM_THREADS from the environment, and refuses nonsense', () => {
    const threads = (value: string): string =>
      execFileSync(process.execPath, ['-p', "require('culoss').cpu.threads"], {
        cwd: root,
        env: { ...process.env, CULOSS_NUM_THREADS: value },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim();
    expect(threads('3')).to.equal('3');
    expect(() => threads('many')).to.throw(/CULOSS_NUM_THREADS: expected a whole number/);
  });

  it('loads where there is no CUDA driver: the addon needs no CUDA library', () => {
    const file = `${root}build/Release/culoss.node`;
    const libraries = execFileSync('ldd', [file], { encoding: 'utf8' });
    expect(libraries).to.include('libc.so');
    expect(libraries).not.to.match(/cuda|nv/i);
  });

  it('can be loaded by worker threads alone, one after the other, while its own threads go on', () => {
    // Node closes an addon with the last worker that holds it.
    const script = `
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      const work = () => {
        const { BinaryFocalLoss, cpu, tensor } = require('culoss');
        cpu.threads = 4;
        const x = tensor(new Float32Array(1 << 17).fill(0.5), [1 << 16, 2]);
        return new BinaryFocalLoss().forward(x, new Int32Array(1 << 16)).item();
      };
      const next = (i) => {
        if (i < 30) new Worker(__filename).on('exit', (code) => code === 0 && next(i + 1));
        else console.log('done');
      };
      if (isMainThread) next(0);
      else work();`;
    const file = `${root}out/workers.cjs`;
    writeFileSync(file, script);
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60000 });
    expect(output).to.equal('done\n');
  });

  it('a worker can be terminated in the middle of a call, and the process go on, or end', () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads');
      const work = () => {
        const { BinaryFocalLoss } = require('culoss');
        const criterion = new BinaryFocalLoss();
        for (;;) criterion.forward([[0.5, 0.5]], [1]);
      };
      const next = async (i) => {
        const worker = new Worker(__filename);
        await new Promise((resolve) => setTimeout(resolve, 100 + 5 * i));
        if (i === 15) console.log('done');
        if (i === 15) process.exit(0);
        await worker.terminate();
        await next(i + 1);
      };
      if (isMainThread) next(0);
      else work();`;
    const file = `${root}out/terminated.cjs`;
    writeFileSync(file, script);
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60000 });
    expect(output).to.equal('done\n');
  });

  it('can be loaded by several worker threads at once, which end', () => {
    const script = `
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      const { BinaryFocalLoss } = require('culoss');
      const value = () => new BinaryFocalLoss().forward([[0.5, 0.25]], [[1, 0]]).item();
      if (isMainThread) for (let i = 0; i < 4; i++) {
        new Worker(__filename).on('message', (v) => console.log(v === value()));
      } else parentPort.postMessage(value());`;
    const file = `${root}out/worker.cjs`;
    writeFileSync(file, script);
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60000 });
    expect(output.trim().split('\n')).to.deep.equal(['true', 'true', 'true', 'true']);
  });
});
