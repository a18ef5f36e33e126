// Trains small models on two imbalanced data sets, with losses and gradients from culoss, and
// writes what came out to report/imbalance.html. CULOSS_EXAMPLE_QUICK=1 makes it short.
import { availableParallelism, cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { cpu, cuda } from 'culoss';
import * as echarts from 'echarts';
import { experiment, type Outcome } from './experiment.mjs';
import { fashion } from './fashion.mjs';
import { version } from './files.mjs';
import { loans } from './loans.mjs';
import { writeReport } from './report.mjs';
import { recallTable, ruleOfVerdicts, scoreTable, verdicts } from './summary.mjs';
import { progress, showTable } from './terminal.mjs';

const quick = process.env.CULOSS_EXAMPLE_QUICK === '1';
const seeds = Array.from({ length: quick ? 1 : 10 }, (_, i) => i + 1);

function deviceOfLosses(): string {
  const reason = cuda.unavailableReason;
  if (reason === null) return cuda.device().name;
  return `the CPU with ${cpu.threads} threads, because ${reason.message}`;
}

tf.enableProdMode();
if (!(await tf.setBackend('wasm'))) await tf.setBackend('cpu');

const started = performance.now();
const device = deviceOfLosses();
console.log(`Losses and gradients: culoss on ${device}`);
console.log(`Model: TensorFlow.js on its ${tf.getBackend()} backend\n`);

const tasks = [loans(quick ? 3 : 15), fashion(quick ? 3 : 20)];
const steps = tasks.map((task) => task.epochs * task.contenders.length * seeds.length);
const bar = progress(steps.reduce((sum, count) => sum + count));
const outcomes: Outcome[] = [];
for (const task of tasks) {
  const outcome = await experiment(task, seeds, ({ name }, seed) => {
    bar.step(`${task.name}, ${name}, seed ${seed}`);
  });
  outcomes.push(outcome);
}
bar.stop();

for (const outcome of outcomes) {
  console.log(`\n${outcome.task.name}: ${outcome.task.about}`);
  console.log(showTable(scoreTable(outcome)));
  console.log(showTable(recallTable(outcome)));
  for (const verdict of verdicts(outcome)) console.log(`- ${verdict}`);
}
if (!quick)
  console.log(`\nMean ± standard deviation over ${seeds.length} seeds. ${ruleOfVerdicts}`);

const seconds = Math.round((performance.now() - started) / 1000);
const name = quick ? 'imbalance-quick.html' : 'imbalance.html';
const path = writeReport(name, outcomes, {
  date: new Date().toISOString().slice(0, 10),
  seeds: seeds.join(', '),
  command: quick ? 'CULOSS_EXAMPLE_QUICK=1 npm start' : 'npm start',
  machine: `${availableParallelism()} cores, ${cpus()[0]?.model ?? 'unknown'}`,
  settings:
    'layer sizes, learning rates and numbers of epochs were set by hand, the same for all losses ' +
    'of a data set, after trial runs that were scored on these test data too',
  'losses on': device,
  'model on': `TensorFlow.js, ${tf.getBackend()} backend`,
  versions:
    `culoss ${version}, TensorFlow.js ${tf.version.tfjs}, ECharts ${echarts.version}, ` +
    `Node ${process.versions.node}`,
  'run time': `${seconds} s`,
});
console.log(`Report, after ${seconds} s: ${path}`);
