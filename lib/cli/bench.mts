// `culoss bench`: the budgets on this machine.
import { cpus, loadavg } from 'node:os';
import { type DeviceReport, measureBudgets } from '../bench/report.mjs';
import type { Workload } from '../bench/workloads.mjs';
import { cuda, type UnavailableReason } from '../index.mjs';
import { readOptions } from './usage.mjs';
import { version } from './version.mjs';

const help = `Holds this machine against the budgets of culoss: how fast value and gradient of each loss are
beside a plain copy of the inputs by as many threads, or in the memory of a GPU, in turn; and what
one call costs by itself. Takes a minute or two, and 3.2 GB of memory, or 4.3 GB and 8.6 GB
of a GPU; where less is free, fewer rows are measured. Nothing else should run meanwhile. Exits
with 0 whether or not the budgets hold.

Usage: culoss bench [options]

Options:
  --json       one object on stdout; progress goes to stderr either way
  --quick      tiny tensors, to see that everything runs; measures nothing
  -h, --help   this text

Examples:
  npx culoss bench
  npx culoss bench --json > budgets.json
  CULOSS_NUM_THREADS=4 npx culoss bench`;

/** What `--json` prints. */
export interface BenchReport {
  culoss: string;
  node: string;
  /** Whether these are figures of tiny tensors, which say nothing. */
  isQuick: boolean;
  devices: DeviceReport[];
  /** Why no GPU was measured; null if one was. */
  cudaUnavailableReason: UnavailableReason | null;
}

export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options.help) return console.log(help);
  const report = await measureAll(options.quick);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
}

/** Load a core, beside which figures are none of an idle machine. */
const busy = 0.2;

async function measureAll(isQuick: boolean): Promise<BenchReport> {
  const reason = cuda.unavailableReason;
  const say = console.error;
  const load = (loadavg()[0] as number) / cpus().length;
  if (load > busy)
    say(`culoss bench: other work takes ${Math.round(100 * load)} % of this machine`);
  const devices = [await measureBudgets('cpu', { isQuick, say })];
  if (reason === null) devices.push(await measureBudgets('cuda:0', { isQuick, say }));
  return {
    culoss: version,
    node: process.versions.node,
    isQuick,
    devices,
    cudaUnavailableReason: reason,
  };
}

function print({
  culoss,
  node,
  isQuick,
  devices,
  cudaUnavailableReason: reason,
}: BenchReport): void {
  console.log(`culoss ${culoss}, Node ${node}${isQuick ? '; --quick measures nothing' : ''}`);
  for (const report of devices) printDevice(report, isQuick);
  if (reason !== null) console.log(`\nno GPU: ${reason.message}; ${reason.hint}`);
}

function printDevice(report: DeviceReport, isQuick: boolean): void {
  console.log(`\n${report.device}: ${factsOf(report).join(', ')}`);
  console.log('valueAndGrad for class ids, beside a plain copy:');
  printTable(report.workloads, (row) => ({
    ms: Number(row.milliseconds.toPrecision(4)),
    'GB/s': rounded(row.gigabytesPerSecond),
    'of copy speed': rounded(row.ofCopySpeed),
    'at least': row.budget,
  }));
  for (const row of isQuick ? [] : report.workloads) {
    if (row.insteadOf === null) continue;
    const whole = row.insteadOf.join('×');
    console.log(`${labelOf(row)} tells nothing of its budget: no memory is free for ${whole}`);
  }
  console.log('one call by itself, from JavaScript to JavaScript:');
  printTable(report.calls, (row) => ({ µs: rounded(row.microseconds), 'at most': row.budget }));
}

const factsOf = (report: DeviceReport): string[] =>
  'card' in report
    ? [report.card, `compute capability ${report.computeCapability}`]
    : [
        report.processor,
        `${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}`,
        report.isa,
        `${report.memoryGigabytes} GiB`,
      ];

type Row = Pick<Workload, 'loss' | 'from' | 'shape' | 'dtype'>;

const labelOf = ({ loss, from, shape, dtype }: Row): string =>
  `${loss} ${from} ${shape.join('×')} ${dtype}`;

/** A row of figures for each workload; whether a budget holds comes last, where that is known. */
function printTable<R extends Row & { holds: boolean | null }>(
  rows: readonly R[],
  figuresOf: (row: R) => Record<string, number>,
): void {
  const cells = rows.map((row) => {
    const verdict = row.holds === null ? {} : { holds: row.holds };
    return [labelOf(row), { ...figuresOf(row), ...verdict }];
  });
  console.table(Object.fromEntries(cells));
}

const rounded = (figure: number): number => Number(figure.toFixed(2));
