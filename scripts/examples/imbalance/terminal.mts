import { Presets, SingleBar } from 'cli-progress';
import Table3 from 'cli-table3';
import type { Table } from './summary.mjs';

export interface Progress {
  step(what: string): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line for each tenth of the way. */
export function progress(total: number): Progress {
  let done = 0;
  if (!process.stdout.isTTY) {
    return {
      step(what) {
        done++;
        if (Math.floor((10 * done) / total) > Math.floor((10 * (done - 1)) / total)) {
          console.log(`${Math.round((100 * done) / total)} %  ${what}`);
        }
      },
      stop() {},
    };
  }
  const format = '{bar} {percentage} %  {eta_formatted} left  {what}';
  const bar = new SingleBar(
    { format, stream: process.stdout, barsize: 24, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  );
  bar.start(total, 0, { what: '' });
  return {
    step: (what) => bar.update(++done, { what }),
    stop: () => bar.stop(),
  };
}

export function showTable({ head, rows }: Table): string {
  const table = new Table3({
    head,
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}
