// Checks the format of native/, or writes it with --write; where clang-format is installed.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { run } from './run.mjs';

const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '--Werror'];
const sources = readdirSync('native', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(h|cpp|cu|cuh)$/.test(file))
  .map((file) => `native/${file}`);

if (spawnSync('clang-format', ['--version']).error) {
  console.log('culoss: clang-format is not installed: the format of native/ is not checked');
} else {
  run('clang-format', [...mode, ...sources]);
}
