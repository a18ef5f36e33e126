import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from './npy.mjs';

/** Bytes from which on a bar is worth its line. */
const least = 256 * 2 ** 20;

/** A bar on stderr for long work, where a person looks at it. */
export function progressOf(title: string): Progress {
  let bar: SingleBar | undefined;
  return (done, all) => {
    if (all < least) return;
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    bar ??= startBar(title, megabytes(all));
    bar.update(megabytes(done));
    if (done === all) bar.stop();
  };
}

function startBar(title: string, all: number): SingleBar {
  const format = `${title} {bar} {value} of {total} MB`;
  const bar = new SingleBar({ format, clearOnComplete: true }, Presets.shades_classic);
  bar.start(all, 0);
  return bar;
}
