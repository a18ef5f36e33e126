// `npm run bench:cuda`: what the losses take on this GPU, beside a plain copy of the same bytes, and
// beside other libraries where a Python with torch is found.
//
//   --filter <pattern>   only workloads whose title matches
//   --peers <pattern>    other libraries only for workloads whose title matches
//   --no-peers           culoss alone
//   --quick              tiny tensors, to see that everything runs; measures nothing
//   --json               the result as JSON on stdout; progress goes to stderr
//   --output <folder>    where <card>.json goes; default: scripts/bench/results, for whole runs only
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cuda } from 'culoss';
import { setsOf } from './buffers.mjs';
import { peerText, terminalTable } from './figures.mjs';
import { isEmulated, machine } from './machine.mjs';
import { brief, enqueueTime, measure, thorough } from './measure.mjs';
import { tilesOf } from './numbers.mjs';
import { findPython, Peers } from './peers.mjs';
import { onGpu } from './places.mjs';
import { disagreement, type Result, type Row, whyNotWritten, writeResult } from './results.mjs';
import { quick, titleOf, type Workload, workloads } from './workloads.mjs';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    filter: { type: 'string' },
    output: { type: 'string' },
    peers: { type: 'string' },
    'no-peers': { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const reason = cuda.unavailableReason;
if (reason !== null) {
  console.error(`culoss: nothing to measure: ${reason.message}; ${reason.hint}`);
  process.exit(1);
}

const pattern = new RegExp(options.filter ?? '');
const matching = workloads.filter((workload) => pattern.test(titleOf(workload)));
const chosen = options.quick ? quick(matching) : matching;
if (chosen.length === 0) {
  console.error(`culoss: no workload matches ${pattern}`);
  process.exit(1);
}

const facts = machine(root, command());
const request = { isQuick: options.quick, filter: options.filter, output: options.output };
const why = whyNotWritten(facts, request);
const folder = options.output ?? join(root, 'scripts/bench/results');
const effort = options.quick ? brief : thorough;

const withPeers = new RegExp(options.peers ?? '');
const peers = await startPeers();
const result: Result = { ...facts, peers: peers?.versions ?? {}, isFinished: false, rows: [] };
for (const workload of chosen) {
  const row = await rowOf(workload);
  result.rows.push(row);
  result.isFinished = result.rows.length === chosen.length;
  if (why === null) writeResult(folder, result);
  const others = row.peers.map((peer) => `\n    ${peerText(row, peer)}`).join('');
  console.error(`${row.title}: ${row.ofCopySpeed.toFixed(2)} of copy speed${others}`);
}
await peers?.stop();

console.log(options.json ? JSON.stringify(result, null, 2) : terminalTable(result.rows));
const place = why === null ? `written to ${folder}` : `not written: ${why}`;
console.error(`\nThe same work by culoss and by its peers alternates by workload, in two processes on
one card; calls and copies alternate within each. These figures are ${place}.`);
const wrong = result.rows.flatMap(disagreement);
for (const text of wrong) console.error(`culoss: ${text}`);
if (wrong.length > 0) process.exitCode = 1;

async function startPeers(): Promise<Peers | null> {
  const python = options['no-peers'] ? null : findPython();
  if (python === null) {
    if (!options['no-peers']) console.error('culoss: no peers: no Python was found that has torch');
    return null;
  }
  const where = isEmulated(facts.card) ? 'cpu' : 'cuda';
  return Peers.start(python, join(root, 'scripts/bench/peers.py'), where);
}

async function rowOf(workload: Workload): Promise<Row> {
  const tiles = tilesOf(workload);
  const measured = await measure(workload, tiles, effort, onGpu);
  const enqueueMicroseconds = await enqueueTime(workload, tiles, options.quick ? 2 : 10);
  const { hasPeers, ...kept } = workload;
  await cuda.synchronize();
  cuda.emptyCache(); // the peers have the card next
  const rows =
    hasPeers && peers && withPeers.test(titleOf(workload))
      ? await peers.measure(workload, tiles, { sets: setsOf(workload, onGpu), effort })
      : [];
  return { title: titleOf(workload), ...kept, ...measured, enqueueMicroseconds, peers: rows };
}

/** What repeats this run, wherever its result goes. */
function command(): string {
  const filter = options.filter === undefined ? [] : [`--filter '${options.filter}'`];
  const beside = options.peers === undefined ? [] : [`--peers '${options.peers}'`];
  const alone = options['no-peers'] ? ['--no-peers'] : [];
  const words = [...filter, ...beside, ...alone];
  return ['npm run bench:cuda', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}
