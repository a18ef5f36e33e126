// What must hold for any inputs: symmetries of the losses, and options that must change nothing.
import { expect } from 'chai';
import { type Device, type Tensor, tensor } from 'culoss';
import fc from 'fast-check';
import { anyTrial } from './arbitrary.mjs';
import { criterionOf, type FloatDtype, lossNames, randomNumbers, tolerances } from './cases.mjs';
import { numbers, onCuda, onDevices } from './devices.mjs';
import { expectClose, expectSame } from './expect.mjs';
import { isBinary, isFocal, type Spec } from './reference.mjs';
import { run } from './trial.mjs';

interface Batch {
  inputs: number[][];
  ids: number[];
}

type Settings = Omit<Spec, 'loss'> & { reduction?: 'mean' | 'sum'; axis?: number };

/** Logits, or probabilities, of a few rows and classes. */
function batches(from: Spec['from'], rows = { min: 1, max: 6 }): fc.Arbitrary<Batch> {
  const value = from === 'logits' ? { min: -40, max: 40 } : { min: 0, max: 1 };
  return fc
    .record({
      columns: fc.integer({ min: 2, max: 5 }),
      n: fc.integer(rows),
      seed: fc.integer({ min: 1, max: 1e6 }),
    })
    .map(({ columns, n, seed }) => {
      const random = randomNumbers(seed);
      const draw = (): number => value.min + (value.max - value.min) * random();
      const inputs = Array.from({ length: n }, () => Array.from({ length: columns }, draw));
      return { inputs, ids: inputs.map(() => Math.floor(random() * columns)) };
    });
}

/** A shuffled list of the numbers below `length`. */
const orderOf = (length: number, seed: number): number[] => {
  const random = randomNumbers(seed);
  const keys = Array.from({ length }, () => random());
  return [...keys.keys()].sort((a, b) => (keys[a] as number) - (keys[b] as number));
};
const pick = <V,>(list: readonly V[], order: readonly number[]): V[] =>
  order.map((i) => list[i] as V);
const oneHot = ({ inputs, ids }: Batch): number[][] =>
  inputs.map((row, n) => row.map((_, c) => Number(c === ids[n])));

/** What may differ in a row that lies elsewhere: on a device, the order of its sums. */
const elsewhere = (device: Device): { relative: number; absolute: number } =>
  device === 'cpu' ? { relative: 0, absolute: 0 } : { relative: 1e-14, absolute: 1e-16 };

describe('properties', () => {
  for (const loss of lossNames) {
    for (const from of ['probabilities', 'logits'] as const) {
      const evaluate = (
        { inputs, ids }: Batch,
        device: Device,
        settings: Settings & { targets?: Tensor; dtype?: FloatDtype; gradOutput?: number } = {},
      ): { loss: number; grad: number[][] } => {
        const { targets, dtype = 'float64', gradOutput, ...options } = settings;
        const x = tensor(inputs, undefined, { dtype, device });
        const y = targets ?? tensor(new Int32Array(ids), [ids.length], { device });
        const result = criterionOf({ loss, from, ...options } as Spec).valueAndGrad(
          x,
          y,
          gradOutput === undefined ? {} : { gradOutput },
        );
        return { loss: result.loss.item(), grad: result.grad.arraySync() as number[][] };
      };
      const property = (
        title: string,
        check: (batch: Batch, device: Device, seed: number) => void,
        rows?: { min: number; max: number },
      ): void => {
        onDevices(`${loss} property ${title} ${from}`, (device) => {
          const seeds = fc.integer({ min: 1, max: 1e6 });
          const holds = fc.property(batches(from, rows), seeds, (batch, seed) => {
            check(batch, device, seed);
          });
          fc.assert(holds, { seed: 3, numRuns: 60 });
        });
      };

      property('rows can be permuted', (batch, device, seed) => {
        const order = orderOf(batch.ids.length, seed);
        const permuted = { inputs: pick(batch.inputs, order), ids: pick(batch.ids, order) };
        const [a, b] = [evaluate(batch, device), evaluate(permuted, device)];
        expectClose([b.loss], [a.loss], { relative: 1e-14 });
        expectClose(b.grad.flat(), pick(a.grad, order).flat(), elsewhere(device));
      });

      property('classes can be permuted, their weights with them', (batch, device, seed) => {
        const columns = batch.inputs[0]?.length as number;
        const order = orderOf(columns, seed);
        const permuted = {
          inputs: batch.inputs.map((row) => pick(row, order)),
          ids: batch.ids.map((id) => order.indexOf(id)),
        };
        const weight = Array.from({ length: columns }, (_, c) => 0.3 + c);
        const alpha = weight.map((w) => w / 9);
        const a = evaluate(batch, device, { weight, alpha });
        const b = evaluate(permuted, device, {
          weight: pick(weight, order),
          alpha: pick(alpha, order),
        });
        expectClose([b.loss], [a.loss], { relative: 1e-13 });
        const expected = a.grad.map((row) => pick(row, order));
        expectClose(b.grad.flat(), expected.flat(), { relative: 1e-12, absolute: 1e-300 });
      });

      property(
        'class weights scale a sum, and cancel in a mean over weighted targets',
        (batch, device) => {
          const weight = batch.inputs[0]?.map((_, c) => 0.5 + c) as number[];
          const scaled = weight.map((w) => 4 * w);
          for (const [settings, factor] of [
            [{ reduction: 'sum' }, 4],
            [{ reduction: 'mean', normalizer: 'targets' }, 1],
          ] as const) {
            const a = evaluate(batch, device, { ...settings, weight });
            const b = evaluate(batch, device, { ...settings, weight: scaled });
            expectClose([b.loss], [factor * a.loss], { relative: 1e-14 });
            expectClose(
              b.grad.flat(),
              a.grad.flat().map((g) => factor * g),
              { relative: 1e-14 },
            );
          }
        },
      );

      property('options of no effect change no bit', (batch, device) => {
        const ones = batch.inputs[0]?.map(() => 1) as number[];
        const neutral: Settings[] = [
          { labelSmoothing: 0 },
          { weight: ones },
          { ignoreIndex: -100 },
          { normalizer: isBinary(loss) ? 'elements' : 'targets' },
        ];
        if (isBinary(loss)) neutral.push({ posWeight: 1 }, { posWeight: ones });
        for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
          const plain = evaluate(batch, device, { dtype });
          for (const settings of neutral) {
            const same = evaluate(batch, device, { dtype, ...settings });
            // Losses that weigh alike are added up in another order on the CPU.
            const isAlike = isBinary(loss) && dtype !== 'float64' && device === 'cpu';
            const hasArray = Object.values(settings).includes(ones);
            const relative = isAlike && hasArray ? 2 ** -23 : 0;
            expectClose([same.loss], [plain.loss], { relative });
            expectSame(same.grad.flat(), plain.grad.flat());
          }
        }
      });

      property('gradOutput changes no bit of the loss', (batch, device) => {
        for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
          const { loss: plain } = evaluate(batch, device, { dtype });
          for (const gradOutput of [0, -3, 1e-38, 1e38]) {
            expectSame([evaluate(batch, device, { dtype, gradOutput }).loss], [plain]);
          }
        }
      });

      property('class ids are their one-hot matrix', (batch, device) => {
        for (const settings of [
          {},
          { labelSmoothing: 0.2, weight: batch.inputs[0]?.map((_, c) => 1 + c) as number[] },
        ]) {
          const targets = tensor(oneHot(batch), undefined, { dtype: 'float64', device });
          const a = evaluate(batch, device, settings);
          const b = evaluate(batch, device, { ...settings, targets });
          expectSame([b.loss, ...b.grad.flat()], [a.loss, ...a.grad.flat()]);
        }
      });

      property(
        'the sums of two halves add up',
        (batch, device) => {
          const half = Math.floor(batch.ids.length / 2);
          const parts = [
            { inputs: batch.inputs.slice(0, half), ids: batch.ids.slice(0, half) },
            { inputs: batch.inputs.slice(half), ids: batch.ids.slice(half) },
          ];
          const whole = evaluate(batch, device, { reduction: 'sum' });
          const [a, b] = parts.map((part) => evaluate(part, device, { reduction: 'sum' })) as [
            typeof whole,
            typeof whole,
          ];
          expectClose([a.loss + b.loss], [whole.loss], { relative: 1e-14 });
          // On a device, where a row begins in memory decides in which order it is added up.
          const [got, wanted] = [[...a.grad, ...b.grad].flat(), whole.grad.flat()];
          if (device === 'cpu') expectSame(got, wanted);
          else expectClose(got, wanted, { relative: 1e-14, absolute: 1e-300 });
        },
        { min: 2, max: 8 },
      );

      property('rows that are ignored might as well not be there', (batch, device) => {
        const [first, ...others] = batch.inputs as [number[], ...number[][]];
        const rest = { inputs: others, ids: batch.ids.slice(1) };
        if (others.length === 0) return;
        const nan = first.map(() => Number.NaN);
        const ignored = { inputs: [nan, ...others], ids: [-7, ...rest.ids] };
        for (const settings of [
          {},
          { labelSmoothing: 0.1 },
          { normalizer: 'rows' },
          { normalizer: 'positives' },
          { normalizer: 'elements' },
        ] as const) {
          const a = evaluate(rest, device, settings);
          const b = evaluate(ignored, device, { ...settings, ignoreIndex: -7 });
          expectClose([b.loss], [a.loss], { relative: 1e-14 });
          expectClose(b.grad.flat(), [...nan.map(() => 0), ...a.grad.flat()], elsewhere(device));
        }
      });

      property('the gradient is linear in gradOutput', (batch, device) => {
        const one = evaluate(batch, device).grad.flat();
        const two = evaluate(batch, device, { gradOutput: -2 }).grad.flat();
        expectSame(
          two,
          one.map((g) => -2 * g),
        );
      });

      if (isFocal(loss)) {
        property('gamma near 0 is near the log loss', (batch, device) => {
          const a = evaluate(batch, device, { gamma: 0 });
          const b = evaluate(batch, device, { gamma: 1e-9 });
          expectClose([b.loss], [a.loss], { relative: 1e-6, absolute: 1e-12 });
          expectClose(b.grad.flat(), a.grad.flat(), { relative: 1e-6, absolute: 1e-12 });
        });
      }

      if (from === 'logits') {
        property('logits are the probabilities that they stand for', ({ inputs, ids }, device) => {
          const mild = inputs.map((row) => row.map((x) => x / 10));
          const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
          const softmax = (row: number[]): number[] => {
            const sum = row.reduce((a, x) => a + Math.exp(x), 0);
            return row.map((x) => Math.exp(x) / sum);
          };
          const p = mild.map(isBinary(loss) ? (row) => row.map(sigmoid) : softmax);
          const a = evaluate({ inputs: mild, ids }, device).loss;
          const b = evaluate({ inputs: p, ids }, device, {
            from: 'probabilities',
            clamp: null,
          }).loss;
          expectClose([b], [a], { relative: 1e-12 });
        });
      }

      onCuda(`${loss} property the engines agree ${from} cuda:0`, () => {
        for (const dtype of ['float32', 'float64', 'float16', 'bfloat16'] as const) {
          const { value, grad } = tolerances[dtype];
          fc.assert(
            fc.property(anyTrial(loss, from), (trial) => {
              const [cpu, cuda] = [run(trial, dtype, 'cpu'), run(trial, dtype, 'cuda:0')];
              expectClose(cuda.loss, cpu.loss, { relative: value, absolute: 1e-6 });
              const absolute = 1e-6 * (1 + Math.max(...cpu.grad.flat().map(Math.abs)));
              // Either may round a half to the other side of the exact number.
              expectClose(cuda.grad.flat(), cpu.grad.flat(), { relative: 2 * grad, absolute });
            }),
            { seed: 4, numRuns: 100 },
          );
        }
      });
    }
  }

  for (const loss of lossNames) {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      onDevices(`${loss} half ${dtype} is float32, rounded once at the store`, (device) => {
        const holds = fc.property(batches('logits'), ({ inputs, ids }) => {
          const wide = inputs.map((row) => row.map((x) => x * 3));
          const rounded = tensor(wide, undefined, { dtype }).arraySync() as number[][];
          const y = tensor(new Int32Array(ids), [ids.length], { device });
          const options = { loss, from: 'logits', labelSmoothing: 0.01 } as const;
          const at = (width: FloatDtype) =>
            criterionOf(options).valueAndGrad(
              tensor(rounded, undefined, { dtype: width, device }),
              y,
            );
          const [narrow, full] = [at(dtype), at('float32')];
          expect(narrow.loss.dtype).to.equal('float32');
          // Logarithms have fewer digits; on a device sums may meet in another order, too.
          expectClose([narrow.loss.item()], [full.loss.item()], { relative: 1e-6 });
          const stored = tensor(full.grad.arraySync(), undefined, { dtype });
          expectSame(numbers(narrow.grad), numbers(stored));
        });
        fc.assert(holds, { seed: 5, numRuns: 100 });
      });
    }
  }
});
