// The packed tarball, where nothing but Node is: installed without scripts into an empty folder, and used
// with neither compiler nor CMake nor CUDA on the path.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { buildSync } from 'esbuild';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = require('../../package.json');
const platform = `${process.platform}-${process.arch}`;

/** What the README promises. */
const mostBytes = 25e6;

const value = '0.017980';
const usage = (load: string): string => `${load}
const { loss, grad } = new BinaryFocalLoss().valueAndGrad([[0.25, 0.75]], [1]);
console.log(loss.item().toFixed(6), grad.shape.join());`;

describe('tarball', () => {
  let folder: string;
  let app: string;
  const at = (path: string): string => join(app, path);
  const installed = (path: string): string => at(join('node_modules/culoss', path));

  /** A program of the folder's, with Node alone on its path. */
  function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { PATH: join(folder, 'bin'), HOME: folder };
    return spawnSync('node', args, { cwd: app, encoding: 'utf8', env });
  }
  function output(...args: string[]): string {
    const { status, stdout, stderr } = node(...args);
    expect(status, stderr).to.equal(0);
    return stdout.trim();
  }
  function script(name: string, text: string): string {
    writeFileSync(at(name), text);
    return name;
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'culoss-tarball-'));
    const [staged, bin] = [join(folder, 'staged'), join(folder, 'bin')];
    app = join(folder, 'app');
    for (const made of [staged, bin, app]) mkdirSync(made);
    symlinkSync(process.execPath, join(bin, 'node'));

    // A release has its addon in `prebuilds`; a checkout has built one.
    const released = join(root, 'prebuilds', platform, 'culoss.glibc.node');
    const prebuilds = join(staged, 'prebuilds', platform);
    mkdirSync(prebuilds, { recursive: true });
    for (const file of ['package.json', 'README.md', 'LICENSE', ...manifest.files]) {
      if (file.startsWith('!') || file === 'prebuilds') continue;
      cpSync(join(root, file), join(staged, file), { recursive: true });
    }
    const addon = join(prebuilds, 'culoss.glibc.node');
    if (existsSync(released)) cpSync(released, addon);
    else execFileSync('strip', ['-o', addon, join(root, 'build/Release/culoss.node')]);

    const npm = (...args: string[]): string =>
      execFileSync('npm', ['--offline', '--no-audit', '--no-fund', '--loglevel=error', ...args], {
        cwd: app,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    const [packed] = JSON.parse(npm('pack', staged, '--json')) as [{ filename: string }];
    // There is no network: the packages that it depends on are those of this checkout.
    const tree = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
      cwd: root,
      encoding: 'utf8',
    });
    const dependencies = tree
      .trim()
      .split('\n')
      .filter((path) => path.includes('node_modules'));
    script('package.json', '{ "name": "app", "private": true }');
    npm('install', '--ignore-scripts', '--install-links', `./${packed.filename}`, ...dependencies);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has what it needs, nothing else, and is small', () => {
    const files = readdirSync(installed('.'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => statSync(installed(file)).isFile(),
    );
    const kinds = new Set(
      files.map((file) => file.replace(/^dist\/.*?(\.d)?(\.[cm]?[jt]s)$/, 'dist/$1$2')),
    );
    const guides = readdirSync(join(root, 'docs')).map((file) => `docs/${file}`);
    expect([...kinds].sort()).to.deep.equal([
      ...['CHANGELOG.md', 'LICENSE', 'README.md', 'binding.d.ts'],
      ...['dist/.d.mts', 'dist/.d.ts', 'dist/.js', 'dist/.mjs', ...guides],
      ...['package.json', `prebuilds/${platform}/culoss.glibc.node`],
    ]);
    const bytes = files.reduce((sum, file) => sum + statSync(installed(file)).size, 0);
    expect(bytes).to.be.lessThan(mostBytes);
  });

  it('needs no newer glibc than it says', () => {
    const file = installed(`prebuilds/${platform}/culoss.glibc.node`);
    const needed = execFileSync('readelf', ['--version-info', file], { encoding: 'utf8' });
    const versions = [...needed.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    const stated = /glibc ≥ 2\.(\d+)/.exec(readFileSync(join(root, 'README.md'), 'utf8'));
    expect(versions.length).to.be.greaterThan(3);
    expect(Math.max(...versions)).to.be.at.most(Number(stated?.[1]));
    expect(needed).not.to.match(/GLIBCXX/);
  });

  it('is used from CommonJS and from ESM, with the same classes', () => {
    const cjs = script('use.cjs', usage("const { BinaryFocalLoss } = require('culoss');"));
    const esm = script('use.mjs', usage("import { BinaryFocalLoss } from 'culoss';"));
    expect(output(cjs)).to.equal(`${value} 1,2`);
    expect(output(esm)).to.equal(`${value} 1,2`);
    const both = script(
      'both.mjs',
      `import * as esm from 'culoss';
      import { createRequire } from 'node:module';
      const cjs = createRequire(import.meta.url)('culoss');
      console.log(Object.keys(cjs).every((name) => cjs[name] === esm[name]), esm.tensor([1]) instanceof cjs.Tensor);`,
    );
    expect(output(both)).to.equal('true true');
  });

  it('compiles in strict TypeScript, with the libraries ES2022 and disposable alone', () => {
    const file = script(
      'use.mts',
      `import { BinaryFocalLoss, type Sweep, sweep, tensor, cuda } from 'culoss';
      import { asTfjsLoss } from 'culoss/tfjs';
      using inputs = tensor(new Float32Array([0.25, 0.75]), [1, 2]);
      const { loss, grad } = new BinaryFocalLoss({ gamma: 2 }).valueAndGrad(inputs, [1]);
      const found: Sweep = sweep(inputs, [1], { alphas: [null, 0.5] });
      export const all: [number, readonly number[], number[][], boolean, unknown] =
        [loss.item(), grad.shape, found.loss, cuda.isAvailable(), asTfjsLoss];
      // @ts-expect-error: an unknown option
      new BinaryFocalLoss({ gama: 2 });`,
    );
    const cts = script(
      'use2.cts',
      `import culoss = require('culoss');
      export const loss: number = new culoss.NegativeLogLoss().forward([[0.5, 0.5]], [1]).item();`,
    );
    const options: ts.CompilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: [] },
      ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 },
      lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
    };
    const program = ts.createProgram([at(file), at(cts)], options);
    const problems = ts.getPreEmitDiagnostics(program).map(({ messageText, file: where }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${where ? relative(app, where.fileName) : ''}: ${text}`;
    });
    expect(problems).to.deep.equal([]);
  });

  it('is bundled by esbuild: left out of the bundle, or with its prebuilds beside it', () => {
    script('app.mjs', usage("import { BinaryFocalLoss } from 'culoss';"));
    const options = {
      entryPoints: [at('app.mjs')],
      bundle: true,
      platform: 'node' as const,
      logLevel: 'error' as const,
    };
    buildSync({ ...options, outfile: at('out/external.mjs'), format: 'esm', external: ['culoss'] });
    expect(output('out/external.mjs')).to.equal(`${value} 1,2`);

    const alone = join(folder, 'alone'); // no node_modules above it
    buildSync({ ...options, outfile: join(alone, 'bundle.cjs'), format: 'cjs' });
    const without = node(join(alone, 'bundle.cjs'));
    expect(without.stderr).to.include('copy its folder `prebuilds` beside the bundle');
    expect(without.stderr).to.include(
      `    ${join(alone, 'prebuilds', platform)}/culoss.glibc.node\n`,
    );
    cpSync(installed('prebuilds'), join(alone, 'prebuilds'), { recursive: true });
    // What others have beside it, or above it, is none of ours.
    const others = [`prebuilds/${platform}/another.glibc.node`, '../build/Release/another.node'];
    for (const other of others) {
      mkdirSync(join(alone, other, '..'), { recursive: true });
      writeFileSync(join(alone, other), 'not an addon of culoss');
    }
    expect(output(join(alone, 'bundle.cjs'))).to.equal(`${value} 1,2`);
  });

  it('its commands need nothing else', () => {
    const bin = installed(manifest.bin.culoss);
    expect(output(bin, '--version')).to.equal(manifest.version);
    const [{ device }] = JSON.parse(output(bin, 'bench', '--quick', '--json')).devices;
    expect(device).to.equal('cpu');
    expect(output(bin, 'eval', '--help')).to.include('Usage: culoss eval');
    const report = JSON.parse(output(bin, 'doctor', '--json'));
    expect(report.addon.file).to.equal(installed(`prebuilds/${platform}/culoss.glibc.node`));
    expect(report.addon.why).to.equal('prebuilt for this platform');
    expect(report.cpu).to.include({ works: true, error: null });
  });

  it('--plot says what it needs', () => {
    const bin = installed(manifest.bin.culoss);
    writeFileSync(at('p.npy'), npy('<f4', '(1, 2)', new Float32Array([0.5, 0.5])));
    writeFileSync(at('y.npy'), npy('<i4', '(1,)', new Int32Array([1])));
    const files = ['--inputs', 'p.npy', '--targets', 'y.npy'];
    const { status, stderr } = node(
      bin,
      'eval',
      'binary-focal',
      ...files,
      '--sweep',
      '--plot',
      's.svg',
    );
    expect(stderr).to.match(
      /^culoss eval: --plot needs the package echarts: `npm install echarts`/,
    );
    expect(status).to.equal(2);
  });

  const load = '-e';
  const help = "try { require('culoss') } catch (error) { console.log(error.code, error.message) }";
  for (const [title, break_, expected] of [
    [
      'a damaged addon',
      (file: string) => writeFileSync(file, 'not an addon'),
      /(invalid ELF header|file too short)\n[\s\S]*the file is damaged, or was installed on another system/,
    ],
    [
      'no addon',
      (file: string) => rmSync(file),
      /found:\n {4}nothing\n {2}possible solutions:\n {4}- if culoss is bundled[\s\S]*the package is not whole/,
    ],
  ] as const) {
    it(`says what helps against ${title}, and so does the doctor`, () => {
      const file = installed(`prebuilds/${platform}/culoss.glibc.node`);
      const whole = readFileSync(file);
      break_(file);
      try {
        const said = output(load, help);
        expect(said).to.match(
          /^ERR_NATIVE_LOAD the native addon of culoss could not be loaded for linux-/,
        );
        expect(said).to.match(
          /looked for:\n {4}\/.*build\/Release\/culoss\.node\n {4}\/.*culoss\.glibc\.node\n/,
        );
        expect(said).to.match(expected);
        const doctor = node(installed(manifest.bin.culoss), 'doctor');
        expect(doctor.status).to.equal(1);
        expect(doctor.stdout).to.match(
          /^cpu: does not work: the native addon[\s\S]*possible solutions/m,
        );
      } finally {
        writeFileSync(file, whole);
      }
    });
  }
});

/** The smallest file that numpy would read. */
function npy(descr: string, shape: string, data: Float32Array | Int32Array): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const head = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(`${header}\n`),
  ]);
  return Buffer.concat([head, Buffer.from(data.buffer)]);
}
