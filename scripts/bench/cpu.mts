// `npm run bench`: what the losses take on this CPU, beside a plain copy of the same bytes by as many
// threads, and beside TensorFlow.js and, where a Python has torch, PyTorch.
//
//   --filter <pattern>   only workloads whose title matches
//   --peers <pattern>    other libraries only for workloads whose title matches
//   --no-peers           culoss alone
//   --no-growth          not how cost grows with size
//   --quick              tiny tensors, to see that everything runs; measures nothing
//   --json               the result as JSON on stdout; progress goes to stderr
//   --output <folder>    where the result and its plots go; default: scripts/bench/results/cpu, for
//                        whole runs only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpu } from 'culoss';
import { setsOf } from './buffers.mjs';
import { cpuWorkloads } from './cpu-workloads.mjs';
import { peerText, terminalTable } from './figures.mjs';
import { growth } from './growth.mjs';
import { cpuMachine } from './machine.mjs';
import { brief, measure, thorough } from './measure.mjs';
import { tilesOf } from './numbers.mjs';
import { findPython, Peers } from './peers.mjs';
import { onCpu } from './places.mjs';
import { growthPlot, speedPlot } from './plots.mjs';
import {
  type CpuResult,
  disagreement,
  type MeasuredRow,
  type PeerRow,
  whyNotWritten,
  writeResult,
} from './results.mjs';
import { backends, measureTfjs, tfjsVersion } from './tfjs.mjs';
import { elementsOf, quick, titleOf, type Workload } from './workloads.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    filter: { type: 'string' },
    output: { type: 'string' },
    peers: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    'no-growth': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Elements from which on TensorFlow.js is left out: it takes seconds, and gigabytes. */
const mostForTfjs = 1e7;

const pattern = new RegExp(options.filter ?? '');
const matching = cpuWorkloads().filter((workload) => pattern.test(titleOf(workload)));
const chosen = options.quick ? quick(matching) : matching;
if (chosen.length === 0) {
  console.error(`culoss: no workload matches ${pattern}`);
  process.exit(1);
}

const facts = cpuMachine(root, command());
const request = { isQuick: options.quick, filter: options.filter, output: options.output };
const why = whyNotWritten(facts, request);
const folder = options.output ?? join(root, 'scripts/bench/results/cpu');
const effort = options.quick ? brief : thorough;

const withPeers = new RegExp(options.peers ?? '');
const peers = await startPeers();
const versions = options['no-peers']
  ? {}
  : { 'TensorFlow.js': tfjsVersion, ...(peers?.versions ?? {}) };
const result: CpuResult = { ...facts, peers: versions, isFinished: false, rows: [], curves: [] };
for (const workload of chosen) {
  const row = await rowOf(workload);
  result.rows.push(row);
  if (why === null) writeResult(folder, result);
  const others = row.peers.map((peer) => `\n    ${peerText(row, peer)}`).join('');
  console.error(`${row.title}: ${row.ofCopySpeed.toFixed(2)} of copy speed${others}`);
}
if (!options['no-growth']) {
  const powers = options.quick ? [3, 4] : [3, 4, 5, 6, 7, 8, 9];
  const beside = options['no-peers'] ? [] : backends;
  result.curves = await growth(
    powers.map((power) => 10 ** power),
    beside,
    peers,
  );
}
await peers?.stop();
result.isFinished = true;
if (why === null) {
  const file = writeResult(folder, result).replace(/\.json$/, '');
  writeFileSync(`${file}-speed.svg`, speedPlot(result.rows));
  if (result.curves.length > 0) writeFileSync(`${file}-growth.svg`, growthPlot(result.curves));
}

console.log(options.json ? JSON.stringify(result, null, 2) : terminalTable(result.rows));
const place = why === null ? `written to ${folder}` : `not written: ${why}`;
console.error(`\nCalls and copies alternate, and so do culoss and its peers by workload. These figures
are ${place}.`);
const wrong = result.rows.flatMap(disagreement);
for (const text of wrong) console.error(`culoss: ${text}`);
if (wrong.length > 0) process.exitCode = 1;

async function startPeers(): Promise<Peers | null> {
  const python = options['no-peers'] ? null : findPython();
  if (python === null) {
    if (!options['no-peers'])
      console.error('culoss: no PyTorch: no Python was found that has torch');
    return null;
  }
  return Peers.start(python, join(root, 'scripts/bench/peers.py'), 'cpu');
}

async function rowOf(workload: Workload): Promise<MeasuredRow> {
  const all = cpu.threads;
  cpu.threads = workload.threads ?? all;
  const tiles = tilesOf(workload);
  const measured = await measure(workload, tiles, effort, onCpu);
  cpu.threads = all;
  const { hasPeers, ...kept } = workload;
  const asked = hasPeers && !options['no-peers'] && withPeers.test(titleOf(workload));
  const rows: PeerRow[] = asked ? await measureTfjsOn(workload) : [];
  if (asked && peers) {
    const sets = Math.min(2, setsOf(workload, onCpu));
    rows.push(...(await peers.measure(workload, tiles, { sets, effort })));
  }
  return { title: titleOf(workload), ...kept, ...measured, peers: rows };
}

async function measureTfjsOn(workload: Workload): Promise<PeerRow[]> {
  const rows: PeerRow[] = [];
  for (const backend of backends) {
    rows.push(
      elementsOf(workload) > mostForTfjs
        ? { peer: `TensorFlow.js ${backend}`, missing: 'not run on more than 10^7 elements' }
        : await measureTfjs(workload, tilesOf(workload), { backend, effort }),
    );
  }
  return rows;
}

/** What repeats this run, wherever its result goes. */
function command(): string {
  const words = [
    ...(options.filter === undefined ? [] : [`--filter '${options.filter}'`]),
    ...(options.peers === undefined ? [] : [`--peers '${options.peers}'`]),
    ...(options['no-peers'] ? ['--no-peers'] : []),
    ...(options['no-growth'] ? ['--no-growth'] : []),
  ];
  return ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}
