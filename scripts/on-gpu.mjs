// Everything that needs a GPU, in one command: builds for the card that is there, runs the tests,
// the sanitizers, the benchmark with its peers, and the profiler. Each step has its own log and time
// limit, and the next one follows whatever becomes of it.
//
//   sh scripts/on-gpu.sh                      all steps; finds Node in carry/ where there is none
//   … --only build,test                       these steps
//   … --filter 'CategoricalFocalLoss logits'  of the workloads of bench and profile
//   … --emulate                               a dry run on a machine without a GPU: measures nothing
//
// Logs, results and summary.json go to the folder $OUT, else out/gpu.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { mochaArguments } from './cuda-tests.mjs';
import { digestOfSources } from './digest.mjs';
import { runLimited } from './limited.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    filter: { type: 'string' },
    emulate: { type: 'boolean', default: false },
  },
});
const { emulate, filter } = values;
const out = process.env.OUT || 'out/gpu';
const node = process.execPath;
const isThere = (command, args = ['--version']) => spawnSync(command, args).status === 0;
const hasTorch = [process.env.CULOSS_PYTHON, 'python3', '/usr/bin/python3'].some(
  (python) => python && isThere(python, ['-c', 'import torch']),
);

/** For workloads that are profiled: one of each kind of kernel. */
const profiled =
  filter ??
  '(Focal|Binary).* (4096×32000|65536×80|1342177×100|8192×131072) (float32|bfloat16) value and';
const chosen = filter === undefined ? [] : ['--filter', filter];
const metrics = [
  'gpu__time_duration.sum',
  'dram__bytes_read.sum',
  'dram__bytes_write.sum',
  'dram__throughput.avg.pct_of_peak_sustained_elapsed',
  'sm__throughput.avg.pct_of_peak_sustained_elapsed',
  'sm__warps_active.avg.pct_of_peak_sustained_active',
  'launch__registers_per_thread',
];

const steps = {
  build: { minutes: 8, commands: buildCommands() },
  test: {
    minutes: 6,
    commands: [
      [node, mochaArguments(emulate ? 'BinaryFocalLoss gradient float32 7x3' : undefined)],
    ],
    env: { REQUIRE_CUDA: '1', ...(hasTorch ? { REQUIRE_TORCH: '1' } : {}) },
  },
  bench: {
    minutes: 9,
    commands: [
      [
        node,
        ['out/scripts/bench/cuda.mjs', '--output', out, ...chosen, ...(emulate ? ['--quick'] : [])],
      ],
    ],
  },
  profile: {
    minutes: 5,
    unless: isThere('ncu') ? null : 'ncu, the profiler of CUDA, is not on the path',
    commands: [
      [
        'ncu',
        [
          ...['--csv', '--page', 'raw', '--clock-control', 'none', '--metrics', metrics.join(',')],
          ...['--log-file', `${out}/profile.csv`],
          ...[node, 'out/scripts/bench/profile.mjs', '--filter', profiled],
          ...(emulate ? ['--quick'] : []),
        ],
      ],
    ],
  },
  sanitize: {
    minutes: 9,
    unless: isThere('compute-sanitizer') ? null : 'compute-sanitizer is not on the path',
    commands: [
      [
        node,
        [
          'scripts/sanitize-cuda.mjs',
          '--seconds',
          '130',
          ...(emulate ? ['-g', 'zero cuda:0'] : []),
        ],
      ],
    ],
  },
};

const wanted = values.only?.split(',') ?? Object.keys(steps);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`culoss: ${unknown.join(', ')}: no step of ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}

mkdirSync(out, { recursive: true });
const summary = {
  card: emulate
    ? 'emulated'
    : firstLine('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader']),
  commit: commitOf(),
  steps: {},
};
if (summary.commit) process.env.CULOSS_COMMIT = summary.commit;
for (const name of wanted) {
  summary.steps[name] = await runStep(name);
  writeFileSync(`${out}/summary.json`, `${JSON.stringify(summary, null, 2)}\n`);
}
for (const [name, { outcome, seconds, why }] of Object.entries(summary.steps)) {
  console.log(`${name}: ${outcome}${why ? `: ${why}` : ` (${seconds} s)`}`);
}
const isFine = ({ outcome }) => outcome === 'passed' || outcome === 'left out';
process.exit(Object.values(summary.steps).every(isFine) ? 0 : 1);

async function runStep(name) {
  const { minutes, commands, env, unless = null } = steps[name];
  console.log(`\n── ${name}`);
  if (unless !== null) return { outcome: 'left out', why: unless };
  const log = `${out}/${name}.log`;
  rmSync(log, { force: true });
  const step = { outcome: 'passed', seconds: 0 };
  for (const [command, args] of commands) {
    const left = 60 * minutes - step.seconds;
    const { outcome, seconds, status } = await runLimited(command, args, {
      env,
      seconds: left,
      log,
    });
    step.outcome = outcome;
    step.seconds += seconds;
    if (outcome !== 'passed') return { ...step, status };
  }
  return step;
}

/** By CMake itself: cmake-js does not travel. */
function buildCommands() {
  const architecture = firstLine('nvidia-smi', [
    '--query-gpu=compute_cap',
    '--format=csv,noheader',
  ]);
  const options = {
    CMAKE_BUILD_TYPE: 'Release',
    CMAKE_JS_INC: `${process.cwd()}/node_modules/node-api-headers/include`,
    CMAKE_LIBRARY_OUTPUT_DIRECTORY: `${process.cwd()}/build/Release`,
    CULOSS_CUDA: emulate ? 'OFF' : 'ON',
    CULOSS_CUDA_EMULATION: emulate ? 'ON' : 'OFF',
    CMAKE_CUDA_ARCHITECTURES: `${(architecture ?? '9.0').replace('.', '')}-real`,
  };
  const defined = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  return [
    ['cmake', ['-S', '.', '-B', 'build', ...defined]],
    ['cmake', ['--build', 'build', '--parallel', `${availableParallelism()}`]],
  ];
}

function firstLine(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0].trim() : null;
}

/** Of git, else of what was packed, as long as the sources are still those. */
function commitOf() {
  const known = firstLine('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*']);
  if (known !== null || !existsSync('carry/commit.json')) return known;
  const { commit, digest } = JSON.parse(readFileSync('carry/commit.json', 'utf8'));
  return digest === digestOfSources() || commit.endsWith('-dirty') ? commit : `${commit}-dirty`;
}
