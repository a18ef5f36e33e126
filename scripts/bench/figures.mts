// Rows as text: for the terminal, and for the README.
import Table3 from 'cli-table3';
import type { CallRow } from '#bench/report.mjs';
import {
  type CpuResult,
  fileOf,
  type InTfjsResult,
  type InTfjsRow,
  type MeasuredRow,
  nameOf,
  type PeerRow,
  type Result,
  type Row,
  readResults,
} from './results.mjs';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0, useGrouping: false });

const megabytes = (bytes: number): string => whole.format(bytes / 1e6);

const kilobytes = (bytes: number | null): string =>
  bytes === null ? '–' : (bytes / 1e3).toFixed(1);

const milliseconds = (time: number): string => time.toPrecision(4);

/** `0.82 (≥ 0.8)`: what was measured, and the goal where there is one. */
const speedText = ({ ofCopySpeed, budget }: MeasuredRow): string =>
  `${ofCopySpeed.toFixed(2)}${budget === undefined ? '' : ` (≥ ${budget})`}`;

/** `2.12 µs (≤ 3)` */
export const callText = ({ title, microseconds, budget }: CallRow): string =>
  `${title}: ${microseconds.toFixed(2)} µs (≤ ${budget})`;

/** The columns of figures, by their headings. */
type Columns<R> = Record<string, (row: R) => string>;

const cpuColumns: Columns<MeasuredRow> = {
  'MB moved': (row) => megabytes(row.bytesMoved),
  ms: (row) => milliseconds(row.milliseconds),
  'of copy speed': (row) => speedText(row),
};
const gpuColumns: Columns<Row> = {
  ...cpuColumns,
  'µs to enqueue': (row) => row.enqueueMicroseconds.toFixed(1),
  'kB extra': (row) => kilobytes(row.memoryBytes),
};

/** `PyTorch: 3.214 ms, 10.2 times`, or why there is nothing to say. */
export function peerText(row: MeasuredRow, peer: PeerRow): string {
  if ('missing' in peer) return `${peer.peer}: ${peer.missing}`;
  const times = (peer.milliseconds / row.milliseconds).toFixed(1);
  const memory =
    peer.memoryBytes === null ? '' : `, ${megabytes(peer.memoryBytes)} MB beyond its inputs`;
  const note = peer.isSame ? '' : ' (its clamp acts)';
  return `${peer.peer}${note}: ${milliseconds(peer.milliseconds)} ms${memory}, ${times} times`;
}

const isGpu = (row: MeasuredRow): row is Row => 'enqueueMicroseconds' in row;

const headingsOf = (row: MeasuredRow | undefined): string[] =>
  Object.keys(row === undefined || isGpu(row) ? gpuColumns : cpuColumns);

const figuresOf = (row: MeasuredRow): string[] =>
  isGpu(row)
    ? Object.values(gpuColumns).map((figure) => figure(row))
    : Object.values(cpuColumns).map((figure) => figure(row));

export function terminalTable(rows: readonly MeasuredRow[]): string {
  const head = ['workload', ...headingsOf(rows[0])];
  const table = new Table3({
    head,
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    table.push([row.title, ...figuresOf(row)]);
    for (const peer of row.peers) {
      table.push([{ content: `  ${peerText(row, peer)}`, colSpan: head.length }]);
    }
  }
  return table.toString();
}

const noFigures = `No GPU figures have been published yet. On a machine with a GPU \`npm run bench:cuda\` measures, and
writes \`scripts/bench/results/<card>.json\`, of which \`UPDATE_README=1 npx mocha -g README\` makes this section.`;

/** The section of the README on GPUs: what the result files say, and nothing else. */
export function readmeFigures(folder: string): string {
  const results = readResults<Result>(folder);
  return results.length === 0 ? noFigures : results.map(gpuSection).join('\n\n');
}

const noCpuFigures = `No figures of a CPU have been published yet. \`npm run bench\` measures, and writes
\`scripts/bench/results/cpu/<processor>.json\`, of which \`UPDATE_README=1 npx mocha -g README\` makes this section.`;

/** The same on the CPU. */
export function readmeCpuFigures(folder: string): string {
  const results = readResults<CpuResult>(folder);
  return results.length === 0 ? noCpuFigures : results.map(cpuSection).join('\n\n');
}

/** The same inside TensorFlow.js. */
export function readmeInTfjsFigures(folder: string): string {
  const results = readResults<InTfjsResult>(folder);
  return results.map(inTfjsSection).join('\n\n');
}

function inTfjsSection(result: InTfjsResult): string {
  const { processor, threads, commit, date, node, peers, command, rows } = result;
  return [
    ...inTfjsTable(rows),
    '',
    `${processor}, ${threads} threads, Node ${node}${versionsOf(peers)}; commit ${commit}, ${date}: \`${command}\``,
  ].join('\n');
}

export const inTfjsTable = (rows: readonly InTfjsRow[]): string[] => [
  '| loss of logits, value and gradient | backend | ms | ms of operations | times |',
  '| --- | --- | --: | --: | --: |',
  ...rows.map(({ loss, shape, backend, milliseconds: own, opsMilliseconds, times }) => {
    const figures = [milliseconds(own), milliseconds(opsMilliseconds), times.toFixed(1)];
    return `| ${[`${loss} ${shape.join('×')}`, backend, ...figures].join(' | ')} |`;
  }),
];

const versionsOf = (peers: Result['peers']): string =>
  Object.entries(peers)
    .map(([name, version]) => `, ${name} ${version}`)
    .join('');

function gpuSection(result: Result): string {
  const { card, computeCapability, driver, toolkit, commit, date, node, command } = result;
  return [
    `### ${card}`,
    '',
    `Compute capability ${computeCapability}, driver ${driver}, CUDA ${toolkit}, Node ${node}${versionsOf(result.peers)};`,
    `commit ${commit}, ${date}: \`${command}\``,
    '',
    ...markdownTable(result.rows),
  ].join('\n');
}

function cpuSection(result: CpuResult): string {
  const { processor, threads, isa, memoryGigabytes, commit, date, node, command } = result;
  const plots = 'scripts/bench/results/cpu';
  const name = fileOf(nameOf(result)).replace('.json', '');
  const ends = result.curves.filter(({ end }) => end !== null);
  return [
    `### ${processor}, ${threads} threads`,
    '',
    `\`cpu.isa\` ${isa}, ${memoryGigabytes} GiB, Node ${node}${versionsOf(result.peers)};`,
    `commit ${commit}, ${date}: \`${command}\``,
    '',
    ...markdownTable(result.rows),
    '',
    ...callLines(result.calls ?? []),
    `![Speed of each workload as a part of a plain copy's](${plots}/${name}-speed.svg)`,
    ...(result.curves.length === 0
      ? []
      : [
          '',
          `![Time of a call by the number of elements](${plots}/${name}-growth.svg)`,
          '',
          ...ends.map(({ name: curve, end }) => `- ${curve} ends where it does: ${end}.`),
        ]),
  ].join('\n');
}

const callLines = (calls: readonly CallRow[]): string[] =>
  calls.length === 0
    ? []
    : [
        'One call by itself, from JavaScript to JavaScript, with memory for its gradient:',
        '',
        ...calls.map((row) => `- ${callText(row)}`),
        '',
      ];

function markdownTable(rows: readonly MeasuredRow[]): string[] {
  const headings = headingsOf(rows[0]);
  const head = ['workload', ...headings, 'peers'];
  const lines = rows.map((row) => {
    const peers = row.peers.map((peer) => peerText(row, peer)).join('<br>');
    return [row.title, ...figuresOf(row), peers || '–'];
  });
  const sides = head.map((name) => (headings.includes(name) ? '--:' : '---'));
  return [head, sides, ...lines].map((cells) => `| ${cells.join(' | ')} |`);
}
