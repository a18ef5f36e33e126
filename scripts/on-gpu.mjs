// Everything that needs a GPU, in one command: builds for the card that is there, runs the tests,
// the benchmark with its peers, the profiler and the sanitizers. Each step has its own log and time
// limit, and the next one follows whatever becomes of it.
//
//   sh scripts/on-gpu.sh                      all steps; finds Node in carry/ where there is none
//   … --only build,test                       these steps
//   … --filter 'CategoricalFocalLoss logits'  of the workloads of bench and profile
//   … --emulate                               a dry run on a machine without a GPU: measures nothing
//
// Logs, results and summary.json go to the folder $OUT, else out/gpu. The exit code is 0 if no step
// failed; one whose tool is not installed is left out.
import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commitOf, isCarryOld } from './commit.mjs';
import { fromDriver, stepsOf } from './gpu-steps.mjs';
import { runLimited } from './limited.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    filter: { type: 'string' },
    emulate: { type: 'boolean', default: false },
  },
});
const out = process.env.OUT || 'out/gpu';

if (lstatSync('node_modules').isSymbolicLink() && isCarryOld()) {
  console.error('culoss: carry/ was packed of other sources: run scripts/pack-carry.mjs again');
  process.exit(2);
}
const steps = stepsOf({ ...values, out });
const wanted = values.only?.split(',') ?? Object.keys(steps);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`culoss: ${unknown.join(', ')}: no step of ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}

mkdirSync(out, { recursive: true });
const card = values.emulate ? 'none, emulated' : fromDriver('name');
const summary = { card, commit: commitOf(), steps: {} };
if (summary.commit) process.env.CULOSS_COMMIT = summary.commit;
for (const name of wanted) {
  console.log(`\n── ${name}`);
  summary.steps[name] = await runStep(steps[name], `${out}/${name}.log`);
  writeFileSync(`${out}/summary.json`, `${JSON.stringify(summary, null, 2)}\n`);
}

console.log();
for (const [name, { outcome, seconds, why }] of Object.entries(summary.steps)) {
  console.log(`${name}: ${outcome}${why ? `: ${why}` : ` (${seconds} s)`}`);
}
const isFine = ({ outcome }) => outcome === 'passed' || outcome === 'left out';
process.exit(Object.values(summary.steps).every(isFine) ? 0 : 1);

async function runStep({ minutes, commands, env, without = null }, log) {
  if (without !== null) return { outcome: 'left out', why: without };
  rmSync(log, { force: true });
  let total = 0;
  for (const [command, ...args] of commands) {
    const limit = { env, log, seconds: 60 * minutes - total };
    const { outcome, seconds, status } = await runLimited(command, args, limit);
    total += seconds;
    if (outcome !== 'passed') return { outcome, status, seconds: total };
  }
  return { outcome: 'passed', seconds: total };
}
