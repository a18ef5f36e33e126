import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const manifest = createRequire(import.meta.url).resolve('culoss/package.json');

/** A path inside the project, wherever the process was started. */
export function inProject(...names: string[]): string {
  return join(dirname(manifest), ...names);
}

/** The version of culoss. */
export const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

export function readGzip(...names: string[]): Buffer {
  return gunzipSync(readFileSync(inProject('data', ...names)));
}
