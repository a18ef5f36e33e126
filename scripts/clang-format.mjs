// Checks the format of native/, or writes it with --write; where clang-format is installed.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { run } from './run.mjs';

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const sources = ['native', 'test/emulation']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  )
  .filter((file) => /\.(h|cpp|cu|cuh)$/.test(file));

if (spawnSync('clang-format', ['--version']).error) {
  console.log('culoss: clang-format is not installed: the format of native/ is not checked');
} else {
  run('clang-format', [...mode, ...sources]);
}
