// `npm run bench:cuda`: what the losses take on this GPU, beside a plain copy of the same bytes, and
// beside other libraries where a Python with torch is found.
//
//   --filter <pattern>   only workloads whose title matches
//   --peers <pattern>    other libraries only for workloads whose title matches
//   --no-peers           culoss alone
//   --quick              tiny tensors, to see that everything runs; measures nothing
//   --json               the result as JSON on stdout; progress goes to stderr
//   --output <folder>    where <card>.json goes; default: scripts/bench/results, for whole runs only
import { cuda } from 'culoss';
import { leastOfCopySpeed } from '#bench/budgets.mjs';
import { setsOf } from '#bench/buffers.mjs';
import { enqueueTime, measure } from '#bench/measure.mjs';
import { tilesOf } from '#bench/numbers.mjs';
import { onGpu } from '#bench/places.mjs';
import { titleOf, type Workload } from '#bench/workloads.mjs';
import { workloads } from './cuda-workloads.mjs';
import { isEmulated, machine } from './machine.mjs';
import * as program from './program.mjs';
import { type Result, type Row, writeResult } from './results.mjs';

const options = program.readOptions();
const reason = cuda.unavailableReason;
if (reason !== null) {
  console.error(`culoss: nothing to measure: ${reason.message}; ${reason.hint}`);
  process.exit(1);
}

const chosen = program.choose(workloads, options);
const facts = machine(program.root, program.commandOf('bench:cuda', options));
const { why, folder } = program.destination(facts, options, 'scripts/bench/results');
const effort = program.effortOf(options);

const peers = await program.startPeers(options, isEmulated(facts.card) ? 'cpu' : 'cuda');
const result: Result = { ...facts, peers: peers?.versions ?? {}, isFinished: false, rows: [] };
for (const workload of chosen) {
  const row = await rowOf(workload);
  result.rows.push(row);
  result.isFinished = result.rows.length === chosen.length;
  if (why === null) writeResult(folder, result);
  program.sayRow(row);
}
await peers?.stop();
const how = `The same work by culoss and by its peers alternates by workload, in two processes on
one card; calls and copies alternate within each.`;
program.sayResult(result, options, { how, why, folder });

async function rowOf(workload: Workload): Promise<Row> {
  const tiles = tilesOf(workload);
  const measured = await measure(workload, tiles, effort, onGpu);
  const enqueueMicroseconds = await enqueueTime(workload, tiles, options.quick ? 2 : 10);
  const { hasPeers, ...kept } = workload;
  const budget = leastOfCopySpeed(workload, 'cuda:0');
  await cuda.synchronize();
  cuda.emptyCache(); // the peers have the card next
  const rows =
    peers && program.asksPeers(workload, options)
      ? await peers.measure(workload, tiles, { sets: setsOf(workload, onGpu), effort })
      : [];
  const facts = { ...kept, ...measured, enqueueMicroseconds, budget };
  return { title: titleOf(workload), ...facts, peers: rows };
}
