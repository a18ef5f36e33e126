// Rows as text: for the terminal, and for the README.
import Table3 from 'cli-table3';
import { type PeerRow, type Result, type Row, readResults } from './results.mjs';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0, useGrouping: false });

const megabytes = (bytes: number): string => whole.format(bytes / 1e6);

const kilobytes = (bytes: number): string => (bytes / 1e3).toFixed(1);

const milliseconds = (time: number): string => time.toPrecision(4);

const headings = ['MB moved', 'ms', 'of copy speed', 'µs to enqueue', 'kB extra'];

const figuresOf = (row: Row): string[] => [
  megabytes(row.bytesMoved),
  milliseconds(row.milliseconds),
  row.ofCopySpeed.toFixed(2),
  row.enqueueMicroseconds.toFixed(1),
  kilobytes(row.memoryBytes),
];

/** `PyTorch: 3.214 ms, 10.2 times`, or why there is nothing to say. */
export function peerText(row: Row, peer: PeerRow): string {
  if ('missing' in peer) return `${peer.peer}: ${peer.missing}`;
  const times = (peer.milliseconds / row.milliseconds).toFixed(1);
  const memory =
    peer.memoryBytes === null ? '' : `, ${megabytes(peer.memoryBytes)} MB beyond its inputs`;
  const note = peer.isSame ? '' : ' (its clamp acts)';
  return `${peer.peer}${note}: ${milliseconds(peer.milliseconds)} ms${memory}, ${times} times`;
}

export function terminalTable(rows: readonly Row[]): string {
  const head = ['workload', ...headings];
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

/** The section of the README: what the result files say, and nothing else. */
export function readmeFigures(folder: string): string {
  const results = readResults(folder);
  return results.length === 0 ? noFigures : results.map(sectionOf).join('\n\n');
}

function sectionOf(result: Result): string {
  const { card, computeCapability, driver, toolkit, commit, date, node, command } = result;
  const versions = Object.entries(result.peers).map(([name, version]) => `, ${name} ${version}`);
  const head = ['workload', ...headings, 'peers'];
  const lines = result.rows.map((row) => {
    const peers = row.peers.map((peer) => peerText(row, peer)).join('<br>');
    return [row.title, ...figuresOf(row), peers || '–'];
  });
  const sides = head.map((name) => (headings.includes(name) ? '--:' : '---'));
  const table = [head, sides, ...lines];
  return [
    `### ${card}`,
    '',
    `Compute capability ${computeCapability}, driver ${driver}, CUDA ${toolkit}, Node ${node}${versions.join('')};`,
    `commit ${commit}, ${date}: \`${command}\``,
    '',
    ...table.map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');
}
