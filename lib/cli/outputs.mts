// Files that a command writes: none that it reads, nor one twice.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Flags } from './flags.mjs';
import { UsageError } from './usage.mjs';

const written = ['out', 'grad', 'plot'];
const read = ['inputs', 'targets', 'sample-weight'];

/** Throws for an output that is a file of another flag, by whatever name. */
export function refuseOverwriting(flags: Flags): void {
  const files = Object.entries(flags).flatMap(([flag, value]) => {
    if (typeof value !== 'string') return [];
    if (read.includes(flag) || written.includes(flag)) return [{ flag, file: identityOf(value) }];
    const listed = value.split(',').filter((each) => each.endsWith('.npy'));
    return listed.map((each) => ({ flag, file: identityOf(each) }));
  });
  for (const name of written) {
    const path = flags[name];
    const own = files.find(({ flag }) => flag === name)?.file;
    const other = files.find(({ flag, file }) => flag !== name && file === own);
    if (own && other) {
      throw new UsageError(
        `--${name} ${path}: expected a file of its own, got that of --${other.flag}`,
      );
    }
  }
}

/** The same for all names of a file; undefined for what is none, as /dev/null. */
function identityOf(path: string): string | undefined {
  try {
    const facts = statSync(path);
    return facts.isFile() ? `${facts.dev}:${facts.ino}` : undefined;
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
