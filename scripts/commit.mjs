// The commit that figures belong to: with `-dirty` behind it where files were changed since.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';

const packed = 'carry/commit.json';
const compiled = ['lib', 'test', 'scripts'];
const measured = ['native', 'lib', 'scripts/bench', 'CMakeLists.txt'];

/** Of git, else what was packed, as long as the sources are still those; null if no one knows. */
export function commitOf() {
  const args = ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  if (!existsSync(packed)) return null;
  const { commit, sources } = JSON.parse(readFileSync(packed, 'utf8'));
  const isClean = sources === digestOf(measured) || commit.endsWith('-dirty');
  return isClean ? commit : `${commit}-dirty`;
}

/** For where there is neither git to ask nor TypeScript to compile with. */
export function packCommit() {
  const digests = { sources: digestOf(measured), typescript: digestOf(compiled) };
  writeFileSync(packed, JSON.stringify({ commit: commitOf(), ...digests }));
}

/** Whether the JavaScript in carry/ was made of other TypeScript than there is. */
export function isCarryOld() {
  return JSON.parse(readFileSync(packed, 'utf8')).typescript !== digestOf(compiled);
}

/** One number for all sources in files and folders. */
function digestOf(paths) {
  const files = paths.flatMap((path) =>
    statSync(path).isFile()
      ? [path]
      : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => `${path}/${file}`),
  );
  // Neither what a run leaves behind, nor what is written about the sources.
  const isSource = (file) => /\.(h|cpp|cu|cuh|ts|mts|py|txt)$/.test(file);
  const hash = createHash('sha256');
  for (const file of files.filter(isSource).sort()) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}
