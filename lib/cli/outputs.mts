// Files that a command writes: none that it reads, nor one twice.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Flags } from './flags.mjs';
import { UsageError } from './usage.mjs';

const written = ['out', 'grad', 'plot'];

/** Throws for an output that is a file of another flag, by whatever name. */
export function refuseOverwriting(flags: Flags): void {
  const paths = Object.entries(flags).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  for (const name of written) {
    const path = flags[name];
    if (typeof path !== 'string') continue;
    const own = identityOf(path);
    const other = paths.find(([flag, value]) => flag !== name && identityOf(value) === own);
    if (other) {
      throw new UsageError(
        `--${name} ${path}: expected a file of its own, got that of --${other[0]}`,
      );
    }
  }
}

/** The same for all names of a file. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return resolve(path); // it is not there yet
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EROFS: 'the file system cannot be written',
  EISDIR: 'is a folder',
  ENOSPC: 'no space is left',
};

/** What is wrong with a file, in words. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}
