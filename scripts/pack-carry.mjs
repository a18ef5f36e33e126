// Packs what a machine with a GPU, but without Node and a network, needs beside the tracked files,
// into the folder carry/: Node itself, compiled TypeScript, and the packages of build, tests and
// benchmark. There `scripts/on-gpu.sh` unpacks it. Needs `npm ci` and `npx tsc --build` before.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { packCommit } from './commit.mjs';

/** CMake is called without cmake-js, and TypeScript is compiled here. */
const needed = [
  'chai',
  'cli-table3',
  'decimal.js',
  'fast-check',
  'mocha',
  'node-addon-api',
  'node-api-headers',
  'node-gyp-build',
  'simple-statistics',
];
const most = 64 * 2 ** 20;

/** Packages with all that they depend on. Those that are installed inside of another travel with it. */
function closure(names, found = new Set()) {
  for (const name of names) {
    const folder = `node_modules/${name}`;
    if (found.has(name) || !existsSync(folder)) continue;
    found.add(name);
    const { dependencies = {} } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    closure(Object.keys(dependencies), found);
  }
  return found;
}

const isWanted = (path) => !/\.(map|md|d\.[cm]?ts|tsbuildinfo)$/.test(path);
const bytesOf = (path) =>
  statSync(path).isFile()
    ? statSync(path).size
    : readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);

for (const path of ['dist', 'out/test', 'out/scripts', ...needed.map((n) => `node_modules/${n}`)]) {
  if (!existsSync(path)) {
    console.error(`culoss: there is no ${path}: \`npm ci && npx tsc --build\` makes it`);
    process.exit(1);
  }
}

// Packing Node takes long: it is kept while its version stays.
const mark = 'carry/node.version';
const isPacked = existsSync(mark) && readFileSync(mark, 'utf8') === process.version;
for (const path of ['node_modules', 'dist', 'out', 'bin']) {
  rmSync(`carry/${path}`, { recursive: true, force: true });
}
mkdirSync('carry', { recursive: true });
for (const path of ['dist', 'out/test', 'out/scripts', ...closure(needed)].map((name) =>
  existsSync(name) ? name : `node_modules/${name}`,
)) {
  cpSync(path, `carry/${path}`, { recursive: true, filter: isWanted });
}
if (!isPacked) {
  console.log('culoss: packing Node takes a minute');
  const packed = openSync('carry/node.xz', 'w');
  execFileSync('xz', ['-6', '-T0', '-c', process.execPath], {
    stdio: ['ignore', packed, 'inherit'],
  });
  writeFileSync(mark, process.version);
}
packCommit();

const bytes = bytesOf('carry');
console.log(`culoss: carry/ has ${(bytes / 2 ** 20).toFixed(1)} MiB of at most ${most / 2 ** 20}`);
if (bytes > most) process.exit(1);
