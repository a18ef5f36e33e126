// The package as its users load it.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as esm from 'culoss';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = require('../../package.json');

describe('package', () => {
  it('import and require give the same classes', () => {
    const cjs = require('culoss');
    expect(Object.keys(esm).sort()).to.deep.equal(Object.keys(cjs).sort());
    for (const [name, value] of Object.entries(esm)) expect(cjs[name], name).to.equal(value);
    expect(require('culoss/package.json').name).to.equal('culoss');
  });

  it('has no install script, and as many scripts as one can remember', () => {
    const names = Object.keys(manifest.scripts);
    expect(names.filter((name) => /install|prepare|^prebuild$/.test(name))).to.deep.equal([]);
    expect(names.length).to.be.at.most(10);
  });

  it('builds nothing again that has not changed', () => {
    const output = execFileSync(process.execPath, ['scripts/build-native.mjs'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(output).to.match(/culoss: .*building/);
    expect(output).not.to.match(/Building|Linking/);
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

  it('can be loaded by several worker threads, which end', () => {
    const script = `
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      const { BinaryFocalLoss } = require('culoss');
      const value = () => new BinaryFocalLoss().forward([[0.5, 0.25]], [[1, 0]]).item();
      if (isMainThread) for (let i = 0; i < 4; i++) {
        new Worker(__filename).on('message', (v) => console.log(v === value()));
      } else parentPort.postMessage(value());`;
    const file = `${root}out/worker.cjs`;
    require('node:fs').writeFileSync(file, script);
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60000 });
    expect(output.trim().split('\n')).to.deep.equal(['true', 'true', 'true', 'true']);
  });
});
