// Runs what depends on Node with the oldest one that is supported and with those that are supported for
// long, which npm carries as packages. Where the registry cannot be reached they are skipped, which is
// said; REQUIRE_RUNTIMES=1 insists on them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { run } from './run.mjs';

const versions = ['20.19.0', '22.23.3', '24.21.0', '26.12.1'];
const files = ['async', 'errors', 'memory', 'package', 'scope', 'tarball', 'tensor'];
const folder = 'build/runtimes';
const nodeOf = (version) => `${folder}/node_modules/node-${version}/bin/node`;

const missing = versions.filter((version) => !existsSync(nodeOf(version)));
if (missing.length > 0) {
  mkdirSync(folder, { recursive: true });
  const packages = versions.map((v) => `node-${v}@npm:node-linux-${process.arch}@${v}`);
  const flags = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder];
  spawnSync('npm', ['install', ...flags, ...packages], { stdio: 'inherit' });
}
const tests = files.map((name) => `out/test/${name}.test.mjs`);
const mocha = ['node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '120000'];
for (const version of versions) {
  if (existsSync(nodeOf(version))) {
    console.log(`\nNode ${version}`);
    run(nodeOf(version), [...mocha, '--reporter', './test/reporter.cjs', ...tests]);
  } else if (process.env.REQUIRE_RUNTIMES === '1') {
    throw new Error(`REQUIRE_RUNTIMES=1, but npm did not give Node ${version}`);
  } else console.log(`\nNode ${version}: skipped, npm did not give it`);
}
