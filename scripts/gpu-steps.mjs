// The steps of scripts/on-gpu.mjs, as data: commands, what they need, and for how many minutes.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { mochaArguments } from './cuda-tests.mjs';

const node = process.execPath;
const isThere = (command, args = ['--version']) => spawnSync(command, args).status === 0;

/** The first line of what nvidia-smi says about a property; null where it is not installed. */
export function fromDriver(property) {
  const args = [`--query-gpu=${property}`, '--format=csv,noheader'];
  const { status, stdout } = spawnSync('nvidia-smi', args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0].trim() : null;
}

/** Where nothing is measured, a few tests and tiny tensors show whether a step runs. */
const fewTests = 'BinaryFocalLoss gradient float32 7x3 .*cuda:0';

/** Workloads with every kind of kernel. */
const everyKernel =
  '(Focal|Binary).* (4096×32000|65536×80|4194304×32|8192×131072) (float32|bfloat16) value and';
const metrics = [
  'gpu__time_duration.sum',
  'dram__bytes_read.sum',
  'dram__bytes_write.sum',
  'dram__throughput.avg.pct_of_peak_sustained_elapsed',
  'sm__throughput.avg.pct_of_peak_sustained_elapsed',
  'sm__warps_active.avg.pct_of_peak_sustained_active',
  'launch__registers_per_thread',
];

/** `out` is the folder of logs and results, `filter` that of workloads. */
export function stepsOf({ emulate, filter, out }) {
  const quick = emulate ? ['--quick'] : [];
  const workloads = filter === undefined ? [] : ['--filter', filter];
  const profiled = ['--filter', filter ?? everyKernel];
  const watch = ['--csv', '--page', 'raw', '--clock-control', 'none'];
  return {
    build: { minutes: 8, commands: buildCommands(emulate) },
    test: {
      minutes: 6,
      commands: [[node, ...mochaArguments(emulate ? fewTests : undefined)]],
      env: { REQUIRE_CUDA: '1', ...(hasTorch() ? { REQUIRE_TORCH: '1' } : {}) },
    },
    bench: {
      minutes: 9,
      commands: [[node, 'out/scripts/bench/cuda.mjs', '--output', out, ...workloads, ...quick]],
    },
    profile: {
      minutes: 5,
      without: isThere('ncu') ? null : 'ncu, the profiler of CUDA, is not on the path',
      commands: [
        [
          ...['ncu', ...watch, '--metrics', metrics.join(','), '--log-file', `${out}/profile.csv`],
          ...[node, 'out/scripts/bench/profile.mjs', ...profiled, ...quick],
        ],
      ],
    },
    sanitize: {
      minutes: 9,
      without: isThere('compute-sanitizer') ? null : 'compute-sanitizer is not on the path',
      commands: [
        [
          ...[node, 'scripts/sanitize-cuda.mjs', '--seconds', '130'],
          ...(emulate ? ['-g', fewTests] : []),
        ],
      ],
    },
  };
}

/** By CMake itself: cmake-js does not travel. */
function buildCommands(emulate) {
  const capability = (emulate ? null : fromDriver('compute_cap')) ?? '9.0';
  const options = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_JS_INC: `${process.cwd()}/node_modules/node-api-headers/include`,
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: `${process.cwd()}/build/Release`,
    CULOSS_CUDA: emulate ? 'OFF' : 'ON',
    CULOSS_CUDA_EMULATION: emulate ? 'ON' : 'OFF',
    CMAKE_CUDA_ARCHITECTURES: `${capability.replace('.', '')}-real`,
  };
  const defined = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  return [
    ['cmake', '-S', '.', '-B', 'build', ...defined],
    ['cmake', '--build', 'build', '--parallel', `${availableParallelism()}`],
  ];
}

function hasTorch() {
  const pythons = [process.env.CULOSS_PYTHON, 'python3', '/usr/bin/python3'];
  return pythons.some((python) => python && isThere(python, ['-c', 'import torch']));
}
