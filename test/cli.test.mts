// The command `culoss`: what it says, what it refuses, and that a machine is held against the budgets.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cpu, cuda } from 'culoss';
import { dump } from 'npyjs';
import { budgetedWorkloads, leastOfCopySpeed, mostMicroseconds } from '#bench/budgets.mjs';
import { memoryOfSets, smallerWhere } from '#bench/buffers.mjs';
import { onCpu, onGpu } from '#bench/places.mjs';
import { speedRow } from '#bench/report.mjs';
import { quick, titleOf, type Workload, workload } from '#bench/workloads.mjs';
import type { BenchReport } from '../dist/cli/bench.mjs';
import type { DoctorReport } from '../dist/cli/doctor.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = require('../../package.json');

const culoss = (...args: string[]) => culossIn(root, ...args);

function culossIn(
  folder: string,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  const file = `${root}${manifest.bin.culoss}`;
  return spawnSync(process.execPath, [file, ...args], { cwd: folder, encoding: 'utf8' });
}

describe('cli', () => {
  it('says what it can do, and its version', () => {
    const { status, stdout, stderr } = culoss('--help');
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/^Usage: culoss <command>[\s\S]*^ {2}bench [\s\S]*^Examples:/m);
    expect(culoss('-h').stdout).to.equal(stdout);
    expect(culoss().stdout).to.equal(stdout);
    expect(culoss('--version').stdout).to.equal(`${manifest.version}\n`);
    const bench = culoss('bench', '--help');
    expect(bench.status, bench.stderr).to.equal(0);
    expect(bench.stdout).to.match(
      /^Usage: culoss bench[\s\S]*--json[\s\S]*--quick[\s\S]*^Examples:/m,
    );
    expect(culoss('bench', '-h').stdout).to.equal(bench.stdout);
    expect(culoss('bench', '--quick', '-h').stdout).to.equal(bench.stdout);
  });

  for (const [args, message] of [
    [
      ['frobnicate'],
      "culoss: unknown command 'frobnicate', expected eval, doctor, bench; see culoss --help",
    ],
    [
      ['constructor'],
      "culoss: unknown command 'constructor', expected eval, doctor, bench; see culoss --help",
    ],
    [['--frob'], "culoss: Unknown option '--frob'; see culoss --help"],
    [['bench', '--frob'], "culoss bench: Unknown option '--frob'; see culoss bench --help"],
    [['bench', 'cpu'], "culoss bench: Unexpected argument 'cpu'; see culoss bench --help"],
    [
      ['bench', '--json=no'],
      "culoss bench: Option '--json' does not take an argument; see culoss bench --help",
    ],
  ] as const) {
    it(`refuses \`culoss ${args.join(' ')}\` in one line`, () => {
      const { status, stdout, stderr } = culoss(...args);
      expect(stderr).to.equal(`${message}\n`);
      expect(stdout).to.equal('');
      expect(status).to.equal(2);
    });
  }

  it('doctor tells what works, and exits with 0 if something does', () => {
    const { status, stdout, stderr } = culoss('doctor', '--json');
    expect(status, stderr).to.equal(0);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(report.culoss).to.equal(manifest.version);
    expect(report.platform).to.include({ os: process.platform, node: process.versions.node });
    expect(report.addon?.why).to.equal('built in this checkout');
    expect(report.cpu).to.deep.equal({
      ...{ works: true, error: null },
      ...{ isa: cpu.isa, isas: cpu.isas, threads: cpu.threads },
    });
    const { works, unavailableReason, devices, error } = report.cuda;
    expect(unavailableReason).to.deep.equal(cuda.unavailableReason);
    expect(works).to.equal(cuda.isAvailable());
    expect(devices.map(({ works }) => works)).to.deep.equal(Array(cuda.deviceCount()).fill(true));
    expect(error).to.equal(null);
    const text = culoss('doctor').stdout;
    expect(text).to.match(
      /^culoss .*, Node .*\naddon: .*, built in this checkout\ncpu: works, with /,
    );
    if (!works) expect(text).to.include(`${cuda.unavailableReason?.hint}\n`);
  });

  it('bench prints one object, of every device that there is, also an emulated one', () => {
    const { status, stdout, stderr } = culoss('bench', '--quick', '--json');
    expect(status, stderr).to.equal(0);
    const report = JSON.parse(stdout) as BenchReport;
    expect(report.culoss).to.equal(manifest.version);
    expect(report.isQuick).to.equal(true);
    expect(report.cudaUnavailableReason).to.deep.equal(cuda.unavailableReason);
    const devices = cuda.isAvailable() ? (['cpu', 'cuda:0'] as const) : (['cpu'] as const);
    expect(report.devices.map(({ device }) => device)).to.deep.equal(devices);
    for (const { device, workloads, calls } of report.devices) {
      const asked = budgetedWorkloads(device);
      expect(workloads.map(({ title }) => title)).to.deep.equal(
        asked.map((one) => titleOf(quick([one])[0] as Workload)),
      );
      workloads.forEach((row, i) => {
        const { budget, holds, insteadOf } = row;
        expect(row.ofCopySpeed, row.title).to.be.greaterThan(0);
        expect(row.gigabytesPerSecond, row.title).to.be.greaterThan(0);
        expect(budget).to.equal(leastOfCopySpeed(asked[i] as Workload, device));
        expect({ holds, insteadOf }).to.deep.equal({ holds: null, insteadOf: asked[i]?.shape });
        expect(stderr).to.include(`${row.title}: `);
      });
      expect(calls.map(({ loss, shape }) => `${loss} ${shape}`)).to.include('BinaryFocalLoss 4,3');
      for (const { microseconds, budget, holds } of calls) {
        expect(microseconds).to.be.greaterThan(0);
        expect({ budget, holds }).to.deep.equal({ budget: mostMicroseconds(device), holds: null });
      }
    }
  });

  it('the commands that the README shows run', () => {
    const shown = readFileSync(`${root}README.md`, 'utf8').match(/^npx culoss [^#>\n]*/gm) ?? [];
    expect(shown.length).to.be.greaterThan(6);
    const folder = mkdtempSync(join(tmpdir(), 'culoss-readme-'));
    const save = (name: string, data: Parameters<typeof dump>[0], shape: number[]): void =>
      writeFileSync(join(folder, name), new Uint8Array(dump(data, shape)));
    for (const name of ['p.npy', 'x.npy']) save(name, Float32Array.of(0.1, 0.9, 0.3, 0.7), [2, 2]);
    save('y.npy', Int32Array.of(1, 0), [2]);
    for (const command of new Set(shown)) {
      const args = command.replace('npx culoss', '').trim().split(/\s+/);
      const isBench = args[0] === 'bench';
      const { status, stdout, stderr } = culossIn(folder, ...args, ...(isBench ? ['--quick'] : []));
      expect(status, `${command}: ${stderr}`).to.equal(0);
      if (args.includes('--json')) JSON.parse(stdout);
      else if (args.includes('--help')) expect(stdout).to.match(/^Usage: culoss bench/m);
      else if (isBench) expect(stdout).to.match(/cpu: [\s\S]* BinaryFocalLoss logits 4×3 float32 /);
      else expect(stdout).to.match(/^cpu: works|^\d\.\d+\nbinary-focal|^binary-focal, mean:/m);
    }
    rmSync(folder, { recursive: true });
  });
});

describe('budgets', () => {
  const whole = workload('BinaryFocalLoss', [4096, 32000], { from: 'probabilities' });

  it('are those that the project has set itself', () => {
    const of = (device: 'cpu' | 'cuda:0') =>
      budgetedWorkloads(device).map((one) => {
        const { loss, from, shape, dtype } = one;
        const name = `${loss} ${from} ${shape.join('×')} ${dtype}`;
        return [name, leastOfCopySpeed(one, device)];
      });
    expect(Object.fromEntries(of('cpu'))).to.deep.equal({
      'BinaryFocalLoss probabilities 4096×32000 float32': 0.8,
      'BinaryCrossEntropy probabilities 4096×32000 float32': 0.8,
      'BinaryFocalLoss logits 4096×32000 float32': 0.8,
      'BinaryCrossEntropy logits 4096×32000 float32': 0.8,
      'CategoricalFocalLoss logits 4096×32000 float32': 0.4,
      'NegativeLogLoss logits 4096×32000 float32': 0.4,
      'BinaryFocalLoss probabilities 65536×80 float32': 0.5,
      'BinaryCrossEntropy probabilities 65536×80 float32': 0.5,
      'BinaryFocalLoss logits 65536×80 float32': 0.5,
      'BinaryCrossEntropy logits 65536×80 float32': 0.5,
      'CategoricalFocalLoss logits 65536×80 float32': 0.35,
      'NegativeLogLoss logits 65536×80 float32': 0.35,
    });
    const onDevice = of('cuda:0');
    expect(onDevice.filter(([name]) => /8192×131072/.test(`${name}`))).to.deep.equal([
      ['CategoricalFocalLoss logits 8192×131072 bfloat16', 0.85],
      ['NegativeLogLoss logits 8192×131072 bfloat16', 0.85],
    ]);
    const others = onDevice.filter(([name]) => /4096×32000/.test(`${name}`));
    expect(others.map(([, least]) => least)).to.deep.equal(Array(12).fill(0.9));
    expect([mostMicroseconds('cpu'), mostMicroseconds('cuda:0')]).to.deep.equal([3, 8]);
  });

  it('are of nothing else', () => {
    const of = (change: Partial<Workload>, device: 'cpu' | 'cuda:0' = 'cpu') =>
      leastOfCopySpeed({ ...whole, ...change }, device);
    expect(of({})).to.equal(0.8);
    expect(of({ pass: 'value' })).to.equal(undefined);
    expect(of({ dtype: 'float64' })).to.equal(undefined);
    expect(of({ targets: 'one-hot' })).to.equal(undefined);
    expect(of({ shape: [4096, 32001] })).to.equal(undefined);
    expect(of({ loss: 'NegativeLogLoss' })).to.equal(undefined); // of probabilities
    expect(of({ shape: [65536, 80] }, 'cuda:0')).to.equal(undefined); // less than 256 MB
    expect(of({ dtype: 'float16' }, 'cuda:0')).to.equal(undefined);
    expect(of({ pass: 'value' }, 'cuda:0')).to.equal(undefined);
  });

  it('hold or not where the whole shape was measured, else nothing is said', () => {
    const measured = {
      ...{ milliseconds: 100, copyMilliseconds: 80, bytesMoved: 1e9, memoryBytes: 0 },
      ...{ pairs: 3, value: 1 },
    };
    const row = (ofCopySpeed: number, measuredOn = whole) =>
      speedRow({ asked: whole, workload: measuredOn, device: 'cpu' }, { ...measured, ofCopySpeed });
    expect(row(0.8)).to.include({ budget: 0.8, holds: true, insteadOf: null });
    expect(row(0.8).gigabytesPerSecond).to.equal(10);
    expect(row(0.799)).to.include({ holds: false });
    const part = row(0.9, { ...whole, shape: [1024, 32000] });
    expect(part).to.include({ budget: 0.8, holds: null, insteadOf: whole.shape });
    expect(part.title).to.include(' 1024×32000 ');
  });

  it('leave rows out where their memory is not free', () => {
    const inputs = 4 * 4096 * 32000;
    expect(memoryOfSets(whole, onCpu)).to.deep.equal({ host: 6 * inputs, device: 0 });
    expect(memoryOfSets(whole, onGpu)).to.deep.equal({ host: 2 * inputs, device: 4 * inputs });
    const rows = (host: number, device = 0, place = onCpu) =>
      smallerWhere({ host, device }, whole, place).shape[0];
    expect(rows(6 * inputs)).to.equal(4096);
    expect(rows(6 * inputs - 1)).to.equal(2048);
    expect(rows(2e9)).to.equal(2048);
    expect(rows(1e9)).to.equal(1024);
    expect(rows(0)).to.equal(1);
    expect(rows(2 * inputs, 4 * inputs, onGpu)).to.equal(4096);
    expect(rows(2 * inputs, 4 * inputs - 1, onGpu)).to.equal(2048);
    expect(rows(inputs, 4 * inputs, onGpu)).to.equal(2048);
  });
});
