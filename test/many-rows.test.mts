// More rows than an engine takes at once, in each of the ways it takes them: by the length of a row
// and by how far apart its elements lie.
import { tensor } from 'culoss';
import { criterionOf, lossNames, randomNumbers, tolerances } from './cases.mjs';
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
  { rowShape: [2, 141], columns: 90 },
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

  onDevices('many rows of an image that no cache holds, either way round', (device) => {
    const [images, classes, pixels] = [2, 19, 250 * 250] as const;
    const random = randomNumbers(5);
    const last = Float32Array.from({ length: images * pixels * classes }, () => 8 * random() - 4);
    /** Rows as columns, of each image. */
    const turn = (from: Float32Array, rows: number, columns: number): Float32Array => {
      const to = new Float32Array(from.length);
      for (let i = 0; i < from.length; i++) {
        const [r, c] = [Math.floor(i / columns) % rows, i % columns];
        const start = Math.floor(i / (rows * columns)) * rows * columns;
        to[start + c * rows + r] = from[i] as number;
      }
      return to;
    };
    const ids = tensor(
      Int32Array.from({ length: images * pixels }, () => Math.floor(random() * classes)),
      [images, 250, 250],
    ).to(device);
    const run = (data: Float32Array, shape: number[], axis: number) => {
      const each = criterionOf({ loss: 'CategoricalFocalLoss', from: 'logits' }, { axis });
      const { loss, grad } = each.valueAndGrad(tensor(data, shape).to(device), ids);
      return [loss.item(), grad.dataSync() as Float32Array] as const;
    };
    const [value, grad] = run(last, [images, 250, 250, classes], -1);
    const first = turn(last, pixels, classes);
    const [valueFirst, gradFirst] = run(first, [images, classes, 250, 250], 1);
    expectClose([valueFirst], [value], { relative: 1e-6 });
    const back = turn(gradFirst, classes, pixels);
    expectClose(Array.from(back), Array.from(grad), { relative: 2e-5, absolute: 1e-12 });
  });
});
