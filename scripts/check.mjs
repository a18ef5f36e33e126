// The whole gate, in the order in which a mistake is cheapest: format and lint, build, types, tests;
// then the tests of the CUDA engine where it is emulated. The last line counts all tests.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { run } from './run.mjs';

const emulated = 'scripts/test-emulated.mjs';
// Where no GPU will run it, CUDA code is only checked: an eighth of the time.
const drivers = ['/proc/driver/nvidia', '/dev/dxg']; // of Linux, of Windows below it
const { CULOSS_CUDA = drivers.some(existsSync) ? 'AUTO' : 'CHECK' } = process.env;
const cuda = { CULOSS_CUDA };
const some =
  '^async|^waits|^fuzz|^binding|^sweep|^many rows.*Categorical.*float32 cpu$|faults|(?<!an )emulated|^memory(?!.*extra).*cuda:0|(options|targets|reduction).*(float32|bfloat16).*cuda:0';
const threaded = '^async|^waits|^workers|^streams';
const alone = ['rebuild', 'event-loop'].map((name) => `out/test/${name}.test.mjs`);
const serially = ['--no-config', '--timeout', '120000', '--reporter', './test/reporter.cjs'];
const steps = [
  ['format and lint', 'npm', ['run', '--silent', 'lint']],
  ['native build', 'node', ['scripts/build-native.mjs'], cuda],
  ['types', 'tsc', ['--build']],
  ['documentation', 'node', ['scripts/docs.mjs']],
  ['tests', 'mocha', []],
  ['tests that run alone', 'mocha', [...serially, ...alone], cuda],
  ['tests of what depends on Node, with others', 'node', ['scripts/test-runtimes.mjs']],
  ['tests of the CUDA engine, emulated', 'node', [emulated], { CULOSS_EMULATION_ORDER: '1' }],
  [
    'some of them where memory is watched, in another order and on memory aligned to 8 bytes only',
    'node',
    [emulated, '--memory', '-g', some],
    { CULOSS_EMULATION_ORDER: 'reverse', CULOSS_EMULATION_SHIFT: '8' },
  ],
  ['those of threads, where races are seen', 'node', [emulated, '--races', '-g', threaded]],
];

const results = 'out/results.jsonl'; // written by test/reporter.cjs
mkdirSync('out', { recursive: true });
rmSync(results, { force: true });
process.env.CULOSS_TEST_RESULTS = `${process.cwd()}/${results}`;

for (const [title, command, args, env] of steps) {
  console.log(`\n── ${title}`);
  run(command, args, env);
}

const runs = readFileSync(results, 'utf8').trim().split('\n').map(JSON.parse);
const total = (name) => runs.reduce((sum, stats) => sum + stats[name], 0);
console.log(`\n${total('passes')} passed, ${total('failures')} failed`);
