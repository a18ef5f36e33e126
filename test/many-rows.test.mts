// More rows than an engine takes at once, in each of the ways it takes them: by the length of a row
// and by how far apart its elements lie.
import { lossNames, tolerances } from './cases.mjs';
import { onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import { isFocal } from './reference.mjs';
import { expectedOf, run, type Trial } from './trial.mjs';

const layouts: Pick<Trial, 'rowShape' | 'columns'>[] = [
  { rowShape: [1041], columns: 1 },
  { rowShape: [531], columns: 10 },
  { rowShape: [131], columns: 63 },
  { rowShape: [37], columns: 64 },
  { rowShape: [3, 523], columns: 4 },
  { rowShape: [2, 141], columns: 70 },
  { rowShape: [40, 3], columns: 20 },
];

const settings: Partial<Trial>[] = [
  {},
  { ignoreIndex: -1, sampleWeight: 'rows', reduction: 'none', gradOutput: 'tensor' },
  {
    targets: 'dense',
    ignoreIndex: -1,
    sampleWeight: 'rows',
    reduction: 'matrix',
    gradOutput: 'tensor',
  },
  { labelSmoothing: 0.1, reduction: 'sum', gradOutput: 'number' },
];

describe('many rows', () => {
  for (const loss of lossNames) {
    for (const from of ['probabilities', 'logits'] as const) {
      for (const dtype of ['float32', 'float64'] as const) {
        onDevices(`many rows of every layout ${loss} ${from} ${dtype}`, (device) => {
          for (const layout of layouts) {
            for (const setting of settings) {
              const weight = Array.from({ length: layout.columns as number }, (_, c) => c % 4);
              const gamma = isFocal(loss) ? { gamma: 2 } : {};
              const trial = { loss, from, axis: 1, weight, ...gamma, ...layout, ...setting };
              const got = run(trial, dtype, device);
              const expected = expectedOf(trial, got.inputs);
              const { value, grad } = tolerances[dtype];
              expectClose(got.loss, expected.loss, { relative: 2 * value, absolute: 1e-6 });
              const slopes = expected.grad.flat();
              const absolute = 1e-6 * (1 + Math.max(...slopes.map(Math.abs)));
              expectClose(got.grad.flat(), slopes, { relative: grad, absolute });
            }
          }
        });
      }
    }
  }
});
