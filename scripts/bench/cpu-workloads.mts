// What is measured on the CPU.
import { cpu } from 'culoss';
import { budgetedLosses, detection, vocabulary } from '#bench/budgets.mjs';
import { type Choice, type Workload, workload } from '#bench/workloads.mjs';

const images = [4, 19, 512, 512];

/** Losses by which the project has set itself goals, at both of its shapes. */
function goals(choice: Choice): Workload[] {
  return [vocabulary, detection].flatMap((shape) => budgetedLosses(shape, choice));
}

const others: Workload[] = [
  workload('BinaryFocalLoss', detection, { targets: 'one-hot', hasPeers: true }),
  workload('CategoricalFocalLoss', detection, { targets: 'one-hot' }),
  workload('CategoricalFocalLoss', images),
  workload('CategoricalFocalLoss', [524288, 10]),
  workload('CategoricalFocalLoss', [64, 262144]),
  workload('NegativeLogLoss', detection, { from: 'probabilities' }),
  workload('BinaryFocalLoss', vocabulary, { pass: 'value' }),
  workload('BinaryFocalLoss', detection, { dtype: 'float64' }),
];

export function cpuWorkloads(): Workload[] {
  const all = cpu.threads;
  const onAll = [
    ...goals({ threads: all, hasPeers: true }),
    ...goals({ threads: all, dtype: 'bfloat16' }),
    ...goals({ threads: all, dtype: 'float16' }),
    ...others.map((one) => ({ ...one, threads: all })),
  ];
  return all === 1 ? onAll : [...onAll, ...goals({ threads: 1 })];
}

/** One loss, from so many elements on to so many: what it costs must grow as they do. */
export const growing = (elements: number): Workload =>
  workload('BinaryFocalLoss', [elements / 100, 100], { threads: cpu.threads });
