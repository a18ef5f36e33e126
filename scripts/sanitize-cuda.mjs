// Runs the tests of the CUDA engine under the tools of compute-sanitizer, on a machine with a GPU:
//
//   node scripts/sanitize-cuda.mjs                       every tool
//   node scripts/sanitize-cuda.mjs --tool racecheck      this one; may be given more than once
//   node scripts/sanitize-cuda.mjs -g 'BinaryFocalLoss gradient bfloat16'
//   node scripts/sanitize-cuda.mjs --seconds 300         for each tool, at most
//
// What a tool found goes to out/sanitize/<tool>.log, or to the folder of --output.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { mochaArguments } from './cuda-tests.mjs';
import { runLimited } from './limited.mjs';

/** Of every kernel, dtype and kind of targets some: for tools that make a call a hundred times slower. */
const some =
  '^(gradient .* (float32|bfloat16) (7x3|33x257|2x1031) .*(gamma=2|alpha=0.25)|reduction|targets|memory) .*cuda:0';
const tools = { memcheck: 'cuda:0', initcheck: some, racecheck: some, synccheck: some };
const failure = 86; // tells what a tool found from a test that failed

const { values } = parseArgs({
  options: {
    tool: { type: 'string', multiple: true, default: Object.keys(tools) },
    filter: { type: 'string', short: 'g' },
    seconds: { type: 'string' },
    output: { type: 'string', default: 'out/sanitize' },
  },
});
const unknown = values.tool.filter((tool) => !(tool in tools));
if (unknown.length > 0) {
  console.error(`culoss: ${unknown.join(', ')}: no tool of ${Object.keys(tools).join(', ')}`);
  process.exit(2);
}
if (spawnSync('compute-sanitizer', ['--version']).error) {
  console.error(
    'culoss: nothing is checked: compute-sanitizer, which comes with CUDA, is not on the path',
  );
  process.exit(2);
}

mkdirSync(values.output, { recursive: true });
const outcomes = [];
for (const tool of values.tool) {
  const log = `${values.output}/${tool}.log`;
  const output = `${values.output}/${tool}.tests.log`;
  for (const file of [log, output]) rmSync(file, { force: true });
  const watched = [process.execPath, ...mochaArguments(values.filter ?? tools[tool])];
  const options = [
    '--target-processes',
    'all',
    '--error-exitcode',
    `${failure}`,
    '--log-file',
    log,
  ];
  console.log(`\n── ${tool}`);
  const { outcome, status, seconds } = await runLimited(
    'compute-sanitizer',
    ['--tool', tool, ...options, ...watched],
    { env: { REQUIRE_CUDA: '1' }, seconds: values.seconds && Number(values.seconds), log: output },
  );
  const found = status === failure ? `found something: ${log}` : outcome;
  outcomes.push({ tool, outcome, text: `${tool}: ${found} (${seconds} s)` });
  if (outcome !== 'passed' && existsSync(log))
    console.log(readFileSync(log, 'utf8').slice(0, 8000));
}

console.log(`\n${outcomes.map(({ text }) => text).join('\n')}`);
process.exit(outcomes.every(({ outcome }) => outcome === 'passed') ? 0 : 1);
