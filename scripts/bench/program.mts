// What both programs that measure have in common: their options, and what they say.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brief, type Effort, thorough } from '#bench/measure.mjs';
import { quick, titleOf, type Workload } from '#bench/workloads.mjs';
import { peerText, terminalTable } from './figures.mjs';
import type { CpuMachine, Machine } from './machine.mjs';
import { findPython, Peers } from './peers.mjs';
import { type CpuResult, disagreement, type Result, whyNotWritten } from './results.mjs';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export type Options = ReturnType<typeof readOptions>;

export function readOptions() {
  const { values } = parseArgs({
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
  return values;
}

/** What repeats this run, wherever its result goes. */
export function commandOf(script: string, options: Options): string {
  const words = [
    ...(options.filter === undefined ? [] : [`--filter '${options.filter}'`]),
    ...(options.peers === undefined ? [] : [`--peers '${options.peers}'`]),
    ...(options['no-peers'] ? ['--no-peers'] : []),
    ...(options['no-growth'] ? ['--no-growth'] : []),
  ];
  return [`npm run ${script}`, ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}

/** The workloads that were asked for; ends the process if there are none. */
export function choose(workloads: readonly Workload[], options: Options): Workload[] {
  const pattern = new RegExp(options.filter ?? '');
  const matching = workloads.filter((workload) => pattern.test(titleOf(workload)));
  if (matching.length === 0) {
    console.error(`culoss: no workload matches ${pattern}`);
    process.exit(1);
  }
  return options.quick ? quick(matching) : matching;
}

export const effortOf = ({ quick: isQuick }: Options): Effort => (isQuick ? brief : thorough);

/** Whether other libraries do the work of a workload, too. */
export const asksPeers = (workload: Workload, options: Options): boolean =>
  workload.hasPeers &&
  !options['no-peers'] &&
  new RegExp(options.peers ?? '').test(titleOf(workload));

/** PyTorch and what is made of it; null where it is not wanted, or not there. */
export async function startPeers(options: Options, where: 'cuda' | 'cpu'): Promise<Peers | null> {
  if (options['no-peers']) return null;
  const python = findPython();
  if (python === null) {
    console.error('culoss: no PyTorch: no Python was found that has torch');
    return null;
  }
  return Peers.start(python, join(root, 'scripts/bench/peers.py'), where);
}

/** Why figures are not written, null if they are; and where they would go. */
export function destination(
  facts: Machine | CpuMachine,
  options: Options,
  published: string,
): { why: string | null; folder: string } {
  const { quick: isQuick, filter, output } = options;
  const why = whyNotWritten(facts, { isQuick, filter, output });
  return { why, folder: output ?? join(root, published) };
}

export function sayRow(row: (Result | CpuResult)['rows'][number]): void {
  const others = row.peers.map((peer) => `\n    ${peerText(row, peer)}`).join('');
  console.error(`${row.title}: ${row.ofCopySpeed.toFixed(2)} of copy speed${others}`);
}

/** The end of a run: its figures on stdout, and what they mean on stderr. */
export function sayResult(
  result: Result | CpuResult,
  options: Options,
  { how, why, folder }: { how: string; why: string | null; folder: string },
): void {
  console.log(options.json ? JSON.stringify(result, null, 2) : terminalTable(result.rows));
  const place = why === null ? `written to ${folder}` : `not written: ${why}`;
  console.error(`\n${how}\nThese figures are ${place}.`);
  const wrong = result.rows.flatMap(disagreement);
  for (const text of wrong) console.error(`culoss: ${text}`);
  if (wrong.length > 0) process.exitCode = 1;
}
