// `npm run bench`: what the losses take on this CPU, beside a plain copy of the same bytes by as many
// threads, and beside TensorFlow.js and, where a Python has torch, PyTorch; and what one call costs by
// itself.
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
import { cpu } from 'culoss';
import { leastOfCopySpeed } from '#bench/budgets.mjs';
import { setsOf } from '#bench/buffers.mjs';
import { measure } from '#bench/measure.mjs';
import { tilesOf } from '#bench/numbers.mjs';
import { onCpu } from '#bench/places.mjs';
import { measureCalls } from '#bench/report.mjs';
import { elementsOf, titleOf, type Workload } from '#bench/workloads.mjs';
import { cpuWorkloads } from './cpu-workloads.mjs';
import { callText } from './figures.mjs';
import { growth } from './growth.mjs';
import { cpuMachine } from './machine.mjs';
import { growthPlot, speedPlot } from './plots.mjs';
import * as program from './program.mjs';
import { type CpuResult, type MeasuredRow, type PeerRow, writeResult } from './results.mjs';
import { backends, measureTfjs, tfjsVersion } from './tfjs.mjs';

/** Elements from which on TensorFlow.js is left out: it takes seconds, and gigabytes. */
const mostForTfjs = 1e7;

const options = program.readOptions();
const chosen = program.choose(cpuWorkloads(), options);
const facts = cpuMachine(program.root, program.commandOf('bench', options));
const { why, folder } = program.destination(facts, options, 'scripts/bench/results/cpu');
const effort = program.effortOf(options);

const peers = await program.startPeers(options, 'cpu');
const versions = options['no-peers']
  ? {}
  : { 'TensorFlow.js': tfjsVersion, ...(peers?.versions ?? {}) };
const result: CpuResult = { ...facts, peers: versions, isFinished: false, rows: [], curves: [] };
result.calls = await measureCalls(onCpu, options.quick);
for (const call of result.calls) console.error(callText(call));
for (const workload of chosen) {
  const row = await rowOf(workload);
  result.rows.push(row);
  if (why === null) writeResult(folder, result);
  program.sayRow(row);
}
if (!options['no-growth']) {
  const powers = options.quick ? [3, 4] : [3, 4, 5, 6, 7, 8, 9];
  const sizes = powers.map((power) => 10 ** power);
  result.curves = await growth(sizes, options['no-peers'] ? [] : backends, peers);
}
await peers?.stop();
result.isFinished = true;
if (why === null) {
  const file = writeResult(folder, result).replace(/\.json$/, '');
  writeFileSync(`${file}-speed.svg`, speedPlot(result.rows));
  if (result.curves.length > 0) writeFileSync(`${file}-growth.svg`, growthPlot(result.curves));
}
const how = 'Calls and copies alternate, and so do culoss and its peers by workload.';
program.sayResult(result, options, { how, why, folder });

async function rowOf(workload: Workload): Promise<MeasuredRow> {
  const all = cpu.threads;
  cpu.threads = workload.threads ?? all;
  const tiles = tilesOf(workload);
  const measured = await measure(workload, tiles, effort, onCpu);
  cpu.threads = all;
  const { hasPeers, threads, ...kept } = workload;
  // The budgets are of a machine, not of one of its cores.
  const budget = threads === all ? leastOfCopySpeed(workload, 'cpu') : undefined;
  const asked = program.asksPeers(workload, options);
  const rows: PeerRow[] = asked ? await measureTfjsOn(workload) : [];
  if (asked && peers) {
    const sets = Math.min(2, setsOf(workload, onCpu));
    rows.push(...(await peers.measure(workload, tiles, { sets, effort })));
  }
  return { title: titleOf(workload), ...kept, threads, ...measured, budget, peers: rows };
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
