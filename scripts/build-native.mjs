// Builds the native addon: everything the first time, afterwards what has changed.
//
// CULOSS_CUDA=OFF leaves the CUDA engine out, ON insists on it, CHECK only shows that it compiles;
// CMAKE_CUDA_ARCHITECTURES names the GPUs. --release compiles for all of them. --emulation builds,
// beside the addon, the one that tests run on machines without a GPU; --memory that one with
// AddressSanitizer and UndefinedBehaviorSanitizer, --races with ThreadSanitizer. What CMake says is
// shown where it matters, and whole if the build fails. --arm64 builds the CPU engine for that, with a
// cross compiler, into build/arm64.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const wants = (name) => process.argv.includes(`--${name}`);
const {
  CULOSS_CUDA = wants('arm64') ? 'OFF' : 'AUTO',
  CMAKE_CUDA_ARCHITECTURES = '',
  CI,
} = process.env;
const onOff = (value) => (value ? 'ON' : 'OFF');
const emulated = ['emulation', 'memory', 'races'].find(wants);
const options = [
  `--CDCULOSS_CUDA=${CULOSS_CUDA}`,
  `--CDCULOSS_CUDA_EMULATION=${onOff(emulated)}`,
  `--CDCULOSS_SANITIZE=${emulated && emulated !== 'emulation' ? emulated : 'OFF'}`,
  `--CDCULOSS_RELEASE=${onOff(wants('release'))}`,
  `--CDCULOSS_WERROR=${onOff(CI)}`,
  `--CDCMAKE_CUDA_ARCHITECTURES=${CMAKE_CUDA_ARCHITECTURES}`,
];
if (emulated) options.push('--out', `build/${emulated}`);
if (wants('arm64')) {
  const toolchain = fileURLToPath(new URL('aarch64-linux-gnu.cmake', import.meta.url));
  options.push('--out', 'build/arm64', `--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
}

const log = [];
const wanted = /^-- (culoss: .*)|^(\[\d+\/\d+\] \w.*|\[ *\d+%\] .*)|(.*\b(?:warning|error)\b:.*)/;

function show(line) {
  log.push(line);
  const match = wanted.exec(line);
  if (match) console.log(match[1] ?? match[2] ?? match[3]);
}

// Both steps: `cmake-js build` alone would keep the options of an earlier configuration.
for (const step of ['configure', 'build']) {
  const child = spawn('node_modules/.bin/cmake-js', [step, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', show);
  }
  const [status] = await once(child, 'close').catch((error) => {
    show(`cmake-js could not be started (${error.message}): run \`npm ci\` first`);
    return [1];
  });
  if (status !== 0) {
    console.error(log.join('\n'));
    console.error('\nculoss: the native build failed. It needs CMake 3.22, a C++20 compiler and');
    console.error('make or ninja; CULOSS_CUDA=OFF builds without CUDA.');
    process.exit(status ?? 1); // null: ended by a signal
  }
}
