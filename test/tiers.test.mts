// Rows of every length, from one class to more than a block can hold: each length is treated by
// another kernel, or leaves it other packs of memory. Against the CPU engine.
import { cuda, type Device, tensor } from 'culoss';
import { criterionOf, type FloatDtype, floatDtypes, randomNumbers, tolerances } from './cases.mjs';
import { itUnless, numbers, onCuda } from './devices.mjs';
import { expectClose } from './expect.mjs';
import type { Spec } from './reference.mjs';

// About the limits of the kernels, on packs of 16 bytes and beside them. The emulated devices have
// so little memory for a block that these meet every kernel there; a GPU meets the longest, too.
const short = [1, 2, 7, 8, 31, 32, 57, 64, 65, 128, 250, 256, 511, 513, 1000, 1021, 1024, 1025];
const long = [2048, 2777, 4096, 4099, 8192, 12289, 33001];
const longest = [131072, 262147, 1000003];
const isEmulated = cuda.isAvailable() && cuda.device().name === 'emulated device';
const lengths = isEmulated ? [...short, ...long] : [...short, ...long, ...longest];

const ignored = -100;
const specs: Record<string, Spec> = {
  'class ids': { loss: 'CategoricalFocalLoss', from: 'logits', gamma: 2 },
  'a row without weight': { loss: 'CategoricalFocalLoss', from: 'logits', gamma: 2 },
  smoothing: { loss: 'NegativeLogLoss', from: 'logits', labelSmoothing: 0.1 },
  matrix: { loss: 'CategoricalFocalLoss', from: 'logits', gamma: 1.5 },
  'dense targets': { loss: 'CategoricalFocalLoss', from: 'logits', gamma: 2 },
  'dense targets on probabilities': { loss: 'NegativeLogLoss' },
  'binary class ids': { loss: 'BinaryFocalLoss', from: 'logits', gamma: 2, alpha: 0.25 },
  'binary weights per class': { loss: 'BinaryFocalLoss', gamma: 1.5 },
  'dense binary targets': { loss: 'BinaryCrossEntropy', from: 'logits' },
};

describe('tiers', () => {
  /** Logits with masks, one that stands out at the end of the row, and two that are equal. */
  function inputsOf(rows: number, columns: number, from: Spec['from']): Float32Array {
    const random = randomNumbers(columns);
    const logits = Float32Array.from({ length: rows * columns }, () => (random() - 0.5) * 8);
    if (from !== 'logits') return logits.map((x) => 0.5 + x / 9);
    for (let i = 3; i < logits.length; i += 61) logits[i] = Number.NEGATIVE_INFINITY;
    logits[logits.length - 1] = 17;
    logits[0] = logits[columns - 1] = 9;
    return logits;
  }

  function targetsOf(title: string, rows: number, columns: number) {
    const random = randomNumbers(7);
    if (!title.startsWith('dense')) {
      const ids = [columns - 1, Math.floor(columns / 2), ignored];
      return tensor(Int32Array.from(ids.slice(0, rows)), [rows]);
    }
    const dense = Float32Array.from({ length: rows * columns }, () => random() * (2 / columns));
    dense.fill(0, columns, 2 * columns); // a row without a target
    return tensor(dense, [rows, columns]);
  }

  const check = (device: Device, title: string, dtype: FloatDtype, rows: number): void => {
    const spec = specs[title] as Spec;
    for (const columns of rows === 1 ? lengths.filter((n) => n > 1000) : lengths) {
      const shape = [rows, columns];
      const filled = inputsOf(rows, columns, spec.from);
      const isWeightless = title === 'a row without weight' && rows > 1;
      if (isWeightless) filled.fill(Number.NaN, columns, 2 * columns);
      const wide = tensor(filled, shape);
      const inputs = tensor(wide.arraySync() as number[][], undefined, { dtype });
      const targets = targetsOf(title, rows, columns);
      const reduction = title === 'matrix' ? 'matrix' : 'none';
      for (const settings of [{ reduction }, { reduction: 'mean' }] as const) {
        const weight = Array.from({ length: columns }, (_, c) => 1 + (c % 5));
        const weights = title.includes('per class') ? { weight } : {};
        const criterion = criterionOf(spec, { ...settings, ...weights, ignoreIndex: ignored });
        const of = (where: Device) => {
          const [x, y] = [inputs.to(where), targets.to(where)];
          const more = isWeightless ? { sampleWeight: [1, 0, 2] } : {};
          const { loss, grad } = criterion.valueAndGrad(x, y, { ...more, gradOutput: 3 });
          return { loss, grad, value: criterion.forward(x, y, more) };
        };
        const [expected, actual] = [of('cpu'), of(device)];
        const { value, grad, smallest } = tolerances[dtype];
        const about = { relative: value, absolute: 1e-6 };
        try {
          expectClose(numbers(actual.loss), numbers(expected.loss), about);
          expectClose(numbers(actual.value), numbers(expected.loss), about);
          // Each engine is right to its last bit, which may be another one.
          const [relative, absolute] = [2 * grad, 2 * smallest + 5e-6 / columns];
          expectClose(numbers(actual.grad), numbers(expected.grad), { relative, absolute });
        } catch (error) {
          (error as Error).message += ` in ${columns} columns, ${settings.reduction}`;
          throw error;
        }
      }
    }
  };

  const second = cuda.deviceCount() > 1 ? null : 'there is no second CUDA device';
  for (const title of Object.keys(specs)) {
    for (const dtype of floatDtypes) {
      const name = `of every length ${title} ${dtype}`;
      onCuda(`rows ${name} cuda:0`, () => check('cuda:0', title, dtype, 3));
      onCuda(`one row ${name} cuda:0`, () => check('cuda:0', title, dtype, 1));
      itUnless(second, `rows ${name} cuda:1, emulated`, () => check('cuda:1', title, dtype, 3));
    }
  }
});
