// One number for the sources that a figure depends on. It tells whether they are still those of a
// commit where there is no git to ask.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';

export function digestOfSources() {
  const hash = createHash('sha256');
  const files = ['native', 'lib', 'scripts/bench', 'CMakeLists.txt'].flatMap((path) =>
    statSync(path).isFile()
      ? [path]
      : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => `${path}/${file}`),
  );
  // Neither what a run leaves behind, nor what is written about the sources.
  const isSource = (file) => /\.(h|cpp|cu|cuh|ts|mts|py|txt)$/.test(file);
  for (const file of files.filter(isSource).sort()) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}
