// Enqueues each workload twice and measures nothing: for a profiler that watches. The first call
// loads the kernels. `--filter <pattern>` and `--quick` as in cuda.mts.
import { parseArgs } from 'node:util';
import { cuda } from 'culoss';
import { callOf, dispose, makeBuffers } from '#bench/buffers.mjs';
import { tilesOf } from '#bench/numbers.mjs';
import { quick, titleOf } from '#bench/workloads.mjs';
import { workloads } from './cuda-workloads.mjs';

const { values: options } = parseArgs({
  options: { filter: { type: 'string', default: '' }, quick: { type: 'boolean', default: false } },
});

const reason = cuda.unavailableReason;
if (reason !== null) {
  console.error(`culoss: nothing to profile: ${reason.message}; ${reason.hint}`);
  process.exit(1);
}

const pattern = new RegExp(options.filter);
const matching = workloads.filter((workload) => pattern.test(titleOf(workload)));
for (const workload of options.quick ? quick(matching) : matching) {
  console.log(titleOf(workload));
  const sets = makeBuffers(workload, tilesOf(workload), { device: 'cuda:0', count: 2 });
  const call = callOf(workload);
  for (const buffers of sets) call(buffers);
  await cuda.synchronize();
  dispose(sets);
}
