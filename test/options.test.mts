// Every option of the table, in every dtype, from class ids and dense targets: what the reference
// gives, and not what the call gives without the option.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { floatDtypes, tolerances } from './cases.mjs';
import { onDevices } from './devices.mjs';
import { expectClose, expectError } from './expect.mjs';
import { optionRows, refusals } from './options.mjs';
import { expectedOf, run, type Trial } from './trial.mjs';

const titleOf = ({ loss: _, ...rest }: Trial): string =>
  Object.entries(rest)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');

/** What a call gives without an option, or the code of what it throws. */
function seenWithout(option: string, ...[trial, dtype, device]: Parameters<typeof run>): unknown {
  try {
    const { loss, grad } = run(trial, dtype, device, option);
    return { loss, grad };
  } catch (error) {
    return { code: (error as { code: string }).code };
  }
}

describe('options', () => {
  for (const { option, losses, calls, elsewhere } of optionRows) {
    if (elsewhere !== undefined) continue;
    for (const loss of losses) {
      for (const call of calls(loss)) {
        const trial: Trial = { loss, ...call };
        for (const dtype of floatDtypes) {
          onDevices(`${loss} option ${option} ${dtype} ${titleOf(trial)}`, (device) => {
            const got = run(trial, dtype, device);
            const expected = expectedOf(trial, got.inputs);
            const { value, grad, smallest } = tolerances[dtype];
            expectClose(got.loss, expected.loss, { relative: value, absolute: 1e-7 });
            // Where terms of soft targets cancel, the digits lost are those of the largest term.
            const absolute = dtype === 'float64' ? 1e-14 : Math.max(smallest, 3e-7);
            expectClose(got.grad.flat(), expected.grad.flat(), { relative: grad, absolute });

            const seen = { loss: got.loss, grad: got.grad };
            const other = seenWithout(option, trial, dtype, device);
            expect(seen, 'without the option').not.to.deep.equal(other);
          });
        }
      }
    }
  }

  it('an option without calls in the table names the test that has them', () => {
    for (const { option, elsewhere } of optionRows) {
      if (elsewhere === undefined) continue;
      const text = readFileSync(new URL(`../../${elsewhere}`, import.meta.url), 'utf8');
      expect(text, elsewhere).to.match(
        new RegExp(`(it|onDevices|onCuda)\\(\\s*.[^\\n]*\\b${option}\\b`),
      );
    }
  });

  for (const { what, code, calls, message } of refusals) {
    it(`${what} is ${code}`, () => {
      for (const call of calls) expectError(call, code, RangeError, message);
    });
  }
});
