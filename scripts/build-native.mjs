// Builds the native addon: everything the first time, afterwards what has changed.
//
// CULOSS_CUDA=OFF leaves the CUDA engine out, ON insists on it; CMAKE_CUDA_ARCHITECTURES names the
// GPUs. What CMake says is shown where it matters, and whole if the build fails.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const { CULOSS_CUDA = 'AUTO', CMAKE_CUDA_ARCHITECTURES, CI } = process.env;
const options = [`--CDCULOSS_CUDA=${CULOSS_CUDA}`, `--CDCULOSS_WERROR=${CI ? 'ON' : 'OFF'}`];
if (CMAKE_CUDA_ARCHITECTURES) {
  options.push(`--CDCMAKE_CUDA_ARCHITECTURES=${CMAKE_CUDA_ARCHITECTURES}`);
}

const build = spawn('cmake-js', ['build', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
const log = [];
const wanted = /^-- (culoss: .*)|^(\[\d+\/\d+\] .*|\[ *\d+%\] .*)|(.*\b(?:warning|error)\b:.*)/;
for (const stream of [build.stdout, build.stderr]) {
  createInterface({ input: stream }).on('line', (line) => {
    log.push(line);
    const match = wanted.exec(line);
    if (match) console.log(match[1] ?? match[2] ?? match[3]);
  });
}
build.on('error', (error) => {
  console.error(`culoss: cmake-js could not be started (${error.message}); run \`npm ci\``);
  process.exit(1);
});
build.on('close', (status) => {
  if (status !== 0) {
    console.error(log.join('\n'));
    console.error('\nculoss: the native build failed. It needs CMake 3.22, a C++20 compiler and');
    console.error('make or ninja; CULOSS_CUDA=OFF builds without CUDA.');
  }
  process.exit(status ?? 1);
});
