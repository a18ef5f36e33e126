// Options together: random combinations of all of them, the value against the reference and the
// gradient against central differences of the reference.
import fc from 'fast-check';
import { anyTrial } from './arbitrary.mjs';
import { lossNames, tolerances } from './cases.mjs';
import { onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import { centralDifferences } from './reference.mjs';
import { expectedOf, run, weightedLoss } from './trial.mjs';

describe('combinations', () => {
  for (const loss of lossNames) {
    for (const from of ['probabilities', 'logits'] as const) {
      onDevices(`${loss} combinations of options, value and gradient float64 ${from}`, (device) => {
        fc.assert(
          fc.property(anyTrial(loss, from, 'small'), (trial) => {
            const got = run(trial, 'float64', device);
            const expected = expectedOf(trial, got.inputs);
            expectClose(got.loss, expected.loss, { relative: 1e-11, absolute: 1e-13 });
            const places = got.inputs.flatMap((row, r) => row.map((_, c) => [r, c] as const));
            const slope = (inputs: number[][]): number => weightedLoss(trial, inputs);
            const differences = centralDifferences(slope, got.inputs, places, 1e-6);
            // A mean over nothing is a constant, or NaN: its gradient is 0.
            const finite = differences.map((d) => (Number.isNaN(d) ? 0 : d));
            const largest = Math.max(...finite.map(Math.abs));
            expectClose(got.grad.flat(), finite, {
              relative: 1e-5,
              absolute: 1e-6 * (1 + largest),
            });
          }),
          { seed: 1, numRuns: 250 },
        );
      });

      for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
        onDevices(`${loss} combinations of options ${dtype} ${from}`, (device) => {
          const { value, grad } = tolerances[dtype];
          fc.assert(
            fc.property(anyTrial(loss, from), (trial) => {
              const got = run(trial, dtype, device);
              const expected = expectedOf(trial, got.inputs);
              expectClose(got.loss, expected.loss, { relative: 2 * value, absolute: 1e-6 });
              // Where terms cancel, the digits lost are those of the largest.
              const slopes = expected.grad.flat();
              const absolute = 1e-6 * (1 + Math.max(...slopes.map(Math.abs)));
              expectClose(got.grad.flat(), slopes, { relative: grad, absolute });
            }),
            { seed: 2, numRuns: 100 },
          );
        });
      }
    }
  }
});
