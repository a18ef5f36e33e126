// Runs the tests of the CUDA engine on a machine without a GPU: the addon in which its unchanged
// sources are compiled as C++, in a copy of the package. What follows goes to mocha:
//
//   node scripts/test-emulated.mjs -g 'BinaryFocalLoss gradient bfloat16'
//   node scripts/test-emulated.mjs --memory    with AddressSanitizer and UndefinedBehaviorSanitizer
//   node scripts/test-emulated.mjs --races     with ThreadSanitizer
//
// CULOSS_EMULATION_ORDER=reverse, or a seed, runs blocks and threads in another order.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.mjs';

const root = process.cwd();
/** What goes with each, on top of the environment. */
const sanitizers = {
  memory: {
    runtimes: ['libasan.so', 'libubsan.so', 'libstdc++.so.6'],
    env: {
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  },
  races: {
    runtimes: ['libtsan.so', 'libstdc++.so.6'],
    // Node itself is not looked at: its own locks are seen, its atomics are not.
    env: { TSAN_OPTIONS: 'halt_on_error=1:ignore_noninstrumented_modules=1' },
  },
};
const build = Object.keys(sanitizers).find((name) => process.argv.includes(`--${name}`));
const args = process.argv.slice(2).filter((argument) => argument !== `--${build}`);
const sanitizer = sanitizers[build];
const runtimes = sanitizer?.runtimes.map(runtimeOf) ?? [];
if (runtimes.includes(undefined)) {
  console.log('culoss: the sanitizers of g++ are not installed: nothing is run with them');
  process.exit(0);
}
run(process.execPath, ['scripts/build-native.mjs', `--${build ?? 'emulation'}`]);

// Modules are copied, so that they find this package and not the one they come from.
const folder = join(root, 'build', 'emulated');
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'build', 'Release'), { recursive: true });
for (const path of ['package.json', '.mocharc.cjs', 'README.md', 'binding.d.ts', 'dist', 'out']) {
  cpSync(path, join(folder, path), { recursive: true });
}
for (const path of ['node_modules', 'test', 'lib', 'native', 'data', 'scripts', 'docs']) {
  symlinkSync(join(root, path), join(folder, path));
}
cpSync(
  join('build', build ?? 'emulation', 'Release', 'culoss.node'),
  join(folder, 'build/Release/culoss.node'),
);

const env = { ...process.env, ...sanitizer?.env, REQUIRE_CUDA: '1' };
// Node was not built with them: they come first, and do not judge its own memory.
if (sanitizer) env.LD_PRELOAD = runtimes.join(' ');
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
