import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from './npy.mjs';

/** Bytes from which on a bar is worth its line. */
const least = 256 * 2 ** 20;

/** A bar on stderr for long work, where a person looks at it. */
export function progressOf(title: string): Progress {
  const format = `${title} {bar} {value} of {total} MB`;
  const bar = new SingleBar({ format, clearOnComplete: true }, Presets.shades_classic);
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  return {
    at(done, all) {
      if (all < least) return;
      if (!bar.isActive) bar.start(megabytes(all), 0);
      bar.update(megabytes(done));
    },
    end() {
      bar.stop();
    },
  };
}
