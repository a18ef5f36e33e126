// What the project has set itself as goals that any machine can be asked about: how fast a loss is
// beside a plain copy there, and what one call costs by itself.
import type { Device } from '../index.mjs';
import { bytesOfInputs, type Choice, lossNames, type Workload, workload } from './workloads.mjs';

export const vocabulary = [4096, 32000];
export const detection = [65536, 80];
export const wideVocabulary = [8192, 131072];

/** Every loss and link that has a budget. */
export function budgetedLosses(shape: readonly number[], choice: Choice = {}): Workload[] {
  const probabilities: Choice = { ...choice, from: 'probabilities' };
  return [
    workload('BinaryFocalLoss', shape, probabilities),
    workload('BinaryCrossEntropy', shape, probabilities),
    workload('BinaryFocalLoss', shape, choice),
    workload('BinaryCrossEntropy', shape, choice),
    workload('CategoricalFocalLoss', shape, choice),
    workload('NegativeLogLoss', shape, choice),
  ];
}

/** What has a budget on a device. */
export function budgetedWorkloads(device: Device): Workload[] {
  if (device === 'cpu') return [vocabulary, detection].flatMap((shape) => budgetedLosses(shape));
  const bfloat16: Choice = { dtype: 'bfloat16' };
  return [
    ...budgetedLosses(vocabulary),
    ...budgetedLosses(vocabulary, bfloat16),
    workload('CategoricalFocalLoss', wideVocabulary, bfloat16),
    workload('NegativeLogLoss', wideVocabulary, bfloat16),
  ];
}

const leastOnCpu = [
  { shape: vocabulary, binary: 0.8, softmax: 0.4 },
  { shape: detection, binary: 0.5, softmax: 0.35 },
];

/** The part of a plain copy's speed that a workload should reach; undefined where none is set. */
export function leastOfCopySpeed(workload: Workload, device: Device): number | undefined {
  const { loss, from, targets, dtype, pass } = workload;
  const isBinary = loss.startsWith('Binary');
  if (pass === 'value') return undefined;
  if (device === 'cpu') {
    const least = leastOnCpu.find(({ shape }) => isOf(shape, workload));
    if (dtype !== 'float32' || targets !== 'class ids') return undefined;
    if (isBinary) return least?.binary;
    return from === 'logits' ? least?.softmax : undefined;
  }
  if (dtype !== 'float32' && dtype !== 'bfloat16') return undefined;
  const isWide = dtype === 'bfloat16' && isOf(wideVocabulary, workload);
  if (isWide && !isBinary && from === 'logits') return 0.85;
  return bytesOfInputs(workload) >= 256e6 ? 0.9 : undefined;
}

const isOf = (shape: readonly number[], workload: Workload): boolean =>
  `${shape}` === `${workload.shape}`;

/** Nothing but the way from JavaScript to an engine and back. */
export const tinyCalls: readonly Workload[] = lossNames.map((loss) => workload(loss, [4, 3]));

/** The microseconds that one of them may take; on a CUDA device until it is enqueued. */
export const mostMicroseconds = (device: Device): number => (device === 'cpu' ? 3 : 8);
