// Runs the tests of the CUDA engine on a machine without a GPU: the addon in which its unchanged
// sources are compiled as C++, in a copy of the package. What follows goes to mocha:
//
//   node scripts/test-emulated.mjs -g 'BinaryFocalLoss gradient bfloat16'
//   node scripts/test-emulated.mjs --sanitize    with AddressSanitizer and UndefinedBehaviorSanitizer
//
// CULOSS_EMULATION_ORDER=reverse, or a seed, runs blocks and threads in another order.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const root = process.cwd();
const sanitize = process.argv.includes('--sanitize');
const args = process.argv.slice(2).filter((argument) => argument !== '--sanitize');
const build = sanitize ? 'sanitize' : 'emulation';
const runtimes = sanitize ? ['libasan.so', 'libubsan.so', 'libstdc++.so.6'].map(runtimeOf) : [];
if (runtimes.includes(undefined)) {
  console.log('culoss: the sanitizers of g++ are not installed: nothing is run with them');
  process.exit(0);
}
run(process.execPath, ['scripts/build-native.mjs', `--${build}`]);

// Modules are copied, so that they find this package and not the one they come from.
const folder = join(root, 'build', 'emulated');
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
for (const path of ['package.json', '.mocharc.cjs', 'README.md', 'binding.d.ts', 'dist', 'out']) {
  cpSync(path, join(folder, path), { recursive: true });
}
for (const path of ['node_modules', 'test', 'lib', 'native', 'data', 'scripts']) {
  symlinkSync(join(root, path), join(folder, path));
}
cpSync(join('build', build, 'Release', 'culoss.node'), join(folder, 'build/Release/culoss.node'));

const env = { ...process.env, REQUIRE_CUDA: '1' };
if (sanitize) {
  // Node was not built with them: they come first, and do not judge its own memory.
  env.LD_PRELOAD = runtimes.join(' ');
  env.ASAN_OPTIONS = 'detect_leaks=0';
  env.UBSAN_OPTIONS = 'halt_on_error=1:print_stacktrace=1';
}
const filter = args.length > 0 ? args : ['-g', 'cuda:0|emulated'];
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const { status } = spawnSync(process.execPath, [mocha, ...filter], {
  cwd: folder,
  env,
  stdio: 'inherit',
});
process.exit(status ?? 1);

/** The path of a library of g++, if there is one. */
function runtimeOf(name) {
  const { stdout } = spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' });
  return stdout?.includes('/') ? stdout.trim() : undefined;
}
