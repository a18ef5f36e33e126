// The programs that measure on a GPU and on the CPU: their arithmetic, what they keep, and that peers do the same work.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cpu, cuda, tensor } from 'culoss';
import { tinyCalls } from '#bench/budgets.mjs';
import { brief } from '#bench/measure.mjs';
import { arrayOf, oneHot, repeat, tilesOf } from '#bench/numbers.mjs';
import { onGpu } from '#bench/places.mjs';
import { median, pairedRatio } from '#bench/statistics.mjs';
import { bytesMoved, criterionOf, quick, titleOf, type Workload } from '#bench/workloads.mjs';
import { cpuWorkloads } from '../scripts/bench/cpu-workloads.mjs';
import { workloads } from '../scripts/bench/cuda-workloads.mjs';
import {
  inTfjsTable,
  readmeCpuFigures,
  readmeFigures,
  readmeInTfjsFigures,
  terminalTable,
} from '../scripts/bench/figures.mjs';
import { findPython, Peers } from '../scripts/bench/peers.mjs';
import { growthPlot, speedPlot } from '../scripts/bench/plots.mjs';
import {
  type CpuResult,
  disagreement,
  fileOf,
  type InTfjsResult,
  type PeerRow,
  type Result,
  type Row,
  whyNotWritten,
  writeResult,
} from '../scripts/bench/results.mjs';
import { itUnless, numbers, onCuda } from './devices.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A made-up row of a made-up card: no figure of it was measured. */
const row: Row = {
  title: 'BinaryFocalLoss logits one-hot 4×8 float32 value and gradient',
  ...{ loss: 'BinaryFocalLoss', from: 'logits', targets: 'one-hot', shape: [4, 8] },
  ...{ dtype: 'float32', pass: 'value and gradient', pairs: 3, value: 0.5 },
  ...{ milliseconds: 2, copyMilliseconds: 1, bytesMoved: 3e6, ofCopySpeed: 0.75 },
  ...{ enqueueMicroseconds: 4.25, memoryBytes: 1280 },
  peers: [
    {
      ...{ peer: 'slow', milliseconds: 30, copyMilliseconds: 1, memoryBytes: 8e6 },
      ...{ value: 0.50001, isSame: true },
    },
    { peer: 'large', missing: 'out of memory' },
  ],
};
const result: Result = {
  ...{ card: 'Fixture (R) 1', computeCapability: '0.0', driver: '1.2', toolkit: '3.4' },
  ...{ commit: 'abc', date: '2000-01-01', node: '0.0.0', command: 'npm run bench:cuda' },
  ...{ peers: { torch: '9.9' }, isFinished: true, rows: [row] },
};
const whole = { isQuick: false, filter: undefined, output: undefined };

describe('bench', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'culoss-results-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('compares by the median of paired ratios, which is not the ratio of medians', () => {
    const [ours, theirs] = [
      [1, 2, 4],
      [3, 2, 8],
    ];
    expect(median(theirs)).to.equal(3);
    expect(pairedRatio(ours, theirs)).to.equal(2); // of 3, 1 and 2; the medians give 1.5
    expect(() => pairedRatio([1], [1, 2])).to.throw(/pair/);
  });

  it('counts the bytes that must move', () => {
    const of = (change: Partial<Workload>): number => bytesMoved({ ...workload, ...change });
    const workload: Workload = {
      ...{ loss: 'BinaryFocalLoss', from: 'logits', targets: 'class ids', shape: [10, 100] },
      ...{ dtype: 'bfloat16', pass: 'value and gradient', hasPeers: false },
    };
    expect(of({})).to.equal(2000 + 40 + 2000 + 4);
    expect(of({ targets: 'one-hot', dtype: 'float64' })).to.equal(3 * 8000 + 8);
    expect(of({ pass: 'value' })).to.equal(2000 + 40 + 4);
    const gather = { loss: 'NegativeLogLoss', from: 'probabilities' } as const;
    expect(of({ ...gather, pass: 'value' })).to.equal(20 + 40 + 4);
  });

  it('has one title for each workload, the goals of the project among them', () => {
    const titles = workloads.map(titleOf);
    expect(new Set(titles).size).to.equal(titles.length);
    expect(titles).to.include(
      'CategoricalFocalLoss logits class ids 8192×131072 bfloat16 value and gradient',
    );
  });

  it('gives whoever repeats a tile the same numbers', () => {
    expect(repeat(new Int32Array([1, 2, 3]), new Int32Array(7))).to.deep.equal(
      new Int32Array([1, 2, 3, 1, 2, 3, 1]),
    );
    expect(oneHot(new Int32Array([1, 0]), 2, 'float64')).to.deep.equal(
      new Float64Array([0, 1, 1, 0]),
    );
  });

  onCuda('counts the memory that a call has for itself, at once cuda:0', async () => {
    const bytes = 2 ** 20;
    const make = () => tensor(new Uint8Array(bytes)).cuda();
    using inUse = make();
    expect(await onGpu.memoryOf(() => make().dispose())).to.equal(bytes);
    make().dispose(); // no part of the next figure
    const both = await onGpu.memoryOf(() => {
      using copy = make();
      using other = make();
      copy.set(other);
    });
    expect(both).to.equal(2 * bytes);
    expect(inUse.byteLength).to.equal(bytes);
  });

  it('keeps only figures that say where they come from', () => {
    expect(whyNotWritten(result, whole)).to.equal(null);
    expect(whyNotWritten({ ...result, card: 'emulated device' }, whole)).to.match(/no speed/);
    expect(whyNotWritten({ ...result, driver: null }, whole)).to.match(/not known is driver/);
    expect(whyNotWritten(result, { ...whole, isQuick: true })).to.match(/measures nothing/);
    const part = { ...whole, filter: 'Binary' };
    expect(whyNotWritten(result, part)).to.match(/--output/);
    expect(whyNotWritten(result, { ...part, output: folder })).to.equal(null);
  });

  it('publishes nothing where nothing was measured', () => {
    writeResult(folder, { ...result, isFinished: false });
    const text = readmeFigures(folder);
    expect(text).to.match(/^No GPU figures have been published yet\./);
    expect(text).not.to.match(/\d\.\d|\|/);
    expect(readmeFigures(join(folder, 'none'))).to.equal(text);
  });

  it('publishes what a result file says, with all that belongs to it', () => {
    expect(writeResult(folder, result)).to.equal(join(folder, 'fixture-r-1.json'));
    expect(readmeFigures(folder).split('\n')).to.deep.equal([
      '### Fixture (R) 1',
      '',
      'Compute capability 0.0, driver 1.2, CUDA 3.4, Node 0.0.0, torch 9.9;',
      'commit abc, 2000-01-01: `npm run bench:cuda`',
      '',
      '| workload | MB moved | ms | of copy speed | µs to enqueue | kB extra | peers |',
      '| --- | --: | --: | --: | --: | --: | --- |',
      `| ${row.title} | 3 | 2.000 | 0.75 | 4.3 | 1.3 | ` +
        'slow: 30.00 ms, 8 MB beyond its inputs, 15.0 times<br>large: out of memory |',
    ]);
    expect(terminalTable([row])).to.include('large: out of memory');
    expect(terminalTable([row])).to.match(/4\.3 \S+ +1\.3 /);
  });

  it('finds the peer that computes something else', () => {
    const [slow] = row.peers as [PeerRow & { value: number }];
    const peers = [slow, { ...slow, value: 0.6 }, { ...slow, value: 9, isSame: false }];
    expect(disagreement(row)).to.deep.equal([]);
    expect(disagreement({ ...row, peers })).to.have.length(1);
    expect(disagreement({ ...row, peers: [{ ...slow, value: Number.NaN }] })).to.have.length(1);
  });

  for (const [name, figures] of Object.entries({
    gpu: () => readmeFigures(`${root}scripts/bench/results`),
    cpu: () => readmeCpuFigures(`${root}scripts/bench/results/cpu`),
    tfjs: () => readmeInTfjsFigures(`${root}scripts/bench/results/tfjs`),
  })) {
    it(`the figures of the ${name} in the README are those of the result files`, () => {
      const file = `${root}README.md`;
      const readme = readFileSync(file, 'utf8');
      const place = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*(<!-- \\/${name} -->)`);
      expect(readme).to.match(place);
      const made = readme.replace(place, (_, begin, end) => `${begin}${figures()}\n${end}`);
      if (process.env.UPDATE_README === '1') writeFileSync(file, made);
      else expect(readme, 'UPDATE_README=1 npx mocha -g README writes them').to.equal(made);
    });
  }

  it('publishes what was measured on a CPU, with its plots and where curves end', () => {
    expect(readmeCpuFigures(folder)).to.match(/^No figures of a CPU have been published yet\./);
    const curve = { name: 'slow', points: [], end: '10^9 elements would take more than 60 s' };
    const { enqueueMicroseconds: _, ...measured } = row;
    const cpuResult: CpuResult = {
      ...{ processor: 'Fixture (R) 2', threads: 2, isa: 'avx2', memoryGigabytes: 24 },
      ...{ commit: 'abc', date: '2000-01-01', node: '0.0.0', command: 'npm run bench' },
      ...{ peers: { torch: '9.9' }, isFinished: true, curves: [curve] },
      rows: [measured, { ...measured, budget: 0.8 }],
      calls: [{ ...measured, title: 'a tiny call', microseconds: 2.125, budget: 3 }],
    };
    writeResult(folder, cpuResult);
    const lines = readmeCpuFigures(folder).split('\n');
    expect(lines).to.include('### Fixture (R) 2, 2 threads');
    expect(lines).to.include('| workload | MB moved | ms | of copy speed | peers |');
    const speeds = lines.flatMap((line) => /2\.000 \| ([^|]*) \|/.exec(line)?.[1] ?? []);
    expect(speeds).to.deep.equal(['0.75', '0.75 (≥ 0.8)']);
    expect(lines).to.include('- a tiny call: 2.13 µs (≤ 3)');
    expect(lines.join('\n')).to.match(
      /cpu\/fixture-r-2-2-threads-speed\.svg\)[\s\S]*-growth\.svg\)/,
    );
    expect(lines.at(-1)).to.equal(
      '- slow ends where it does: 10^9 elements would take more than 60 s.',
    );
  });

  it('draws speed and growth', () => {
    const speed = speedPlot([row]);
    expect(speed).to.match(/^<svg [\s\S]*<\/svg>\n$/);
    expect(speed).to.include('BinaryFocalLoss');
    const points = [3, 4, 5].map((power) => ({
      elements: 10 ** power,
      milliseconds: 10 ** (power - 4),
      memoryBytes: 0,
    }));
    const plot = growthPlot([{ name: 'ours', points, end: null }]);
    expect(plot).to.include('ours').and.to.include('elements');
  });

  it('runs on the CPU, and TensorFlow.js computes the same; keeps no figures of a quick run', () => {
    const script = `${root}out/scripts/bench/cpu.mjs`;
    const args = ['--quick', '--json', '--output', folder];
    const env = { ...process.env, CULOSS_PYTHON: 'none' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      encoding: 'utf8',
      env,
    });
    expect(status, stderr).to.equal(0);
    const { rows, curves, calls } = JSON.parse(stdout) as CpuResult;
    expect(rows).to.have.length(quick(cpuWorkloads()).length);
    const peers = rows.flatMap((one) => one.peers.filter((peer) => !('missing' in peer)));
    expect(peers.length).to.be.greaterThan(8);
    expect(calls?.map(({ title }) => title)).to.deep.equal(tinyCalls.map(titleOf));
    for (const { microseconds } of calls ?? []) expect(microseconds).to.be.greaterThan(0);
    expect(curves.map(({ points }) => points.length)).to.deep.equal([2, 2, 2]);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('runs inside TensorFlow.js, and keeps no figures of a quick run', () => {
    const script = `${root}out/scripts/bench/in-tfjs.mjs`;
    const args = [script, '--quick', '--json', '--output', folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    const { rows } = JSON.parse(stdout) as InTfjsResult;
    expect(rows.map(({ backend }) => backend)).to.include.members(['cpu', 'wasm']);
    for (const { milliseconds, opsMilliseconds, times } of rows) {
      expect(Math.min(milliseconds, opsMilliseconds, times)).to.be.greaterThan(0);
    }
    expect(inTfjsTable(rows)).to.have.length(2 + rows.length);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('gives a copy by several threads the same bytes', () => {
    const threads = cpu.threads;
    cpu.threads = 3;
    try {
      const bytes = Uint8Array.from({ length: 13_000_001 }, (_, i) => (i * 31) % 251);
      const copy = tensor(new Uint8Array(bytes.length)).set(bytes);
      expect(Buffer.compare(copy.dataSync(), bytes)).to.equal(0);
    } finally {
      cpu.threads = threads;
    }
  });

  it('runs on an emulated device, and keeps none of its figures; without a device it says why', () => {
    const script = `${root}out/scripts/bench/cuda.mjs`;
    const args = ['--quick', '--no-peers', '--json', '--output', folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      encoding: 'utf8',
    });
    if (cuda.isAvailable()) {
      expect(status, stderr).to.equal(0);
      const { rows } = JSON.parse(stdout);
      expect(rows).to.have.length(quick(workloads).length);
      for (const { title, memoryBytes } of rows) expect(memoryBytes, title).to.be.greaterThan(0);
    } else {
      expect(status).to.equal(1);
      expect(stderr).to.include(cuda.unavailableReason?.message);
    }
    const { card } = cuda.isAvailable() ? JSON.parse(stdout) : { card: 'none' };
    expect(existsSync(join(folder, fileOf(card)))).to.equal(false);
  });

  describe('peers compute what culoss does', () => {
    const python = findPython();
    const missing = python === null ? 'no Python was found that has torch' : null;
    let peers: Peers | undefined;
    const start = () => Peers.start(python as string, `${root}scripts/bench/peers.py`, 'cpu');
    after(() => peers?.stop());

    for (const workload of quick(workloads.filter(({ hasPeers }) => hasPeers))) {
      const title = titleOf(workload);
      const run = async () => {
        if (missing !== null) throw new Error(`REQUIRE_TORCH=1, but ${missing}`);
        peers ??= await start();
        await compare(workload, peers);
      };
      itUnless(process.env.REQUIRE_TORCH === '1' ? null : missing, title, run);
    }
  });
});

/** The loss and its gradient by culoss on the CPU, and by every peer that is there. */
async function compare(workload: Workload, peers: Peers): Promise<void> {
  const { shape, dtype, targets } = workload;
  const [rows, columns] = shape as [number, number];
  const tiles = tilesOf(workload);
  const inputs = tensor(repeat(tiles.inputs, arrayOf(dtype, rows * columns)), shape, { dtype });
  const ids = repeat(tiles.ids, new Int32Array(rows));
  const asked =
    targets === 'class ids' ? ids : tensor(oneHot(ids, columns, dtype), shape, { dtype });
  const { loss, grad } = criterionOf(workload).valueAndGrad(inputs, asked);
  const ours = { ...row, dtype, value: loss.item() };
  const answers = await peers.measure<PeerRow & { grad?: number[] }>(workload, tiles, {
    sets: 1,
    effort: brief,
    wantsGrad: true,
  });
  expect(answers.length).to.be.greaterThan(1);
  expect(disagreement({ ...ours, peers: answers })).to.deep.equal([]);
  const same = answers.filter((answer) => 'isSame' in answer && answer.isSame);
  expect(same.length).to.be.greaterThan(0);
  const largest = Math.max(...numbers(grad).map(Math.abs));
  const tolerance = (dtype === 'float32' ? 1e-4 : 2e-2) * largest;
  for (const { peer, grad: theirs = [] } of same) {
    expect(theirs).to.have.length(grad.size);
    const worst = Math.max(...numbers(grad).map((g, i) => Math.abs(g - (theirs[i] as number))));
    expect(worst, peer).to.be.lessThan(tolerance);
  }
}
