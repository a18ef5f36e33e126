// The losses inside TensorFlow.js: value and gradient of `asTfjsLoss`, beside the same loss of its own
// operations, step by step in turn, on its cpu and wasm backends.
//
//   --quick   tiny tensors, to see that everything runs; measures nothing
//   --json    the result as JSON on stdout
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { asTfjsLoss } from 'culoss/tfjs';
import { type Effort, inPairs } from '#bench/measure.mjs';
import { tilesOf } from '#bench/numbers.mjs';
import { onCpu } from '#bench/places.mjs';
import { median, pairedRatio } from '#bench/statistics.mjs';
import { criterionOf, quick, type Workload, workload } from '#bench/workloads.mjs';
import { inTfjsTable } from './figures.mjs';
import { cpuMachine } from './machine.mjs';
import * as program from './program.mjs';
import { type InTfjsResult, type InTfjsRow, writeResult } from './results.mjs';
import { type Backend, backends, lossOf, tensorsOf, tfjsVersion } from './tfjs.mjs';

const options = program.readOptions();
const effort = program.effortOf(options);
const workloads = [
  workload('BinaryFocalLoss', [65536, 80]),
  workload('CategoricalFocalLoss', [65536, 80]),
  workload('BinaryFocalLoss', [256, 10]),
  workload('CategoricalFocalLoss', [256, 10]),
];
const facts = cpuMachine(program.root, 'node out/scripts/bench/in-tfjs.mjs');
const published = 'scripts/bench/results/tfjs';
const { why, folder } = program.destination(facts, options, published);

const result: InTfjsResult = {
  ...facts,
  peers: { 'TensorFlow.js': tfjsVersion },
  isFinished: false,
  rows: [],
};
for (const one of options.quick ? quick(workloads) : workloads) {
  for (const backend of backends) result.rows.push(await rowOf(one, backend, effort));
}
result.isFinished = true;
if (why === null) writeResult(folder, result);
console.log(options.json ? JSON.stringify(result, null, 2) : inTfjsTable(result.rows).join('\n'));
console.error(
  `These figures are ${why === null ? `written to ${folder}` : `not written: ${why}`}.`,
);

async function rowOf(of: Workload, backend: Backend, effort: Effort): Promise<InTfjsRow> {
  await tf.setBackend(backend);
  tf.engine().startScope();
  try {
    const { inputs, targets } = tensorsOf(of, tilesOf(of));
    const adapted = asTfjsLoss(tf, criterionOf(of));
    const ofOps = lossOf(of);
    const stepOf = (loss: (x: tf.Tensor2D) => tf.Tensor): (() => void) => {
      const step = tf.valueAndGrad((x) => loss(x as tf.Tensor2D) as tf.Scalar);
      return () => {
        const { value, grad } = step(inputs);
        value.dataSync(); // the gradient is there, too: both backends compute at once
        tf.dispose([value, grad]);
      };
    };
    const [ours, theirs] = [
      stepOf((x) => adapted(targets, x).mean()),
      stepOf((x) => ofOps(x, targets)),
    ];
    ours();
    theirs(); // the first one is slower
    using clock = onCpu.clock();
    const [own, ops] = inPairs(
      () => clock.time(ours),
      () => clock.time(theirs),
      effort,
    );
    return {
      ...{ loss: of.loss, shape: of.shape, backend },
      ...{ milliseconds: median(own), opsMilliseconds: median(ops), times: pairedRatio(own, ops) },
    };
  } finally {
    tf.engine().endScope();
  }
}
