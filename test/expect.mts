// Comparisons whose failure names the place and both numbers.
import { expect } from 'chai';

/** |actual − expected| ≤ relative · |expected| + absolute, element by element; NaN equals NaN. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  { relative, absolute = 0 }: { relative: number; absolute?: number },
): void {
  expect(actual.length, 'length').to.equal(expected.length);
  expected.forEach((want, i) => {
    const got = actual[i] as number;
    const allowed = relative * Math.abs(want) + absolute;
    const fits = Object.is(got, want) || got === want || Math.abs(got - want) <= allowed;
    if (!fits) {
      const error = Math.abs(got - want) / Math.abs(want);
      expect.fail(
        `[${i}]: expected ${want}, got ${got} (relative error ${error.toExponential(1)})`,
      );
    }
  });
}

/** The same values, to the bit, except for the sign of 0. */
export function expectSame(actual: readonly number[], expected: readonly number[]): void {
  expectClose(actual, expected, { relative: 0 });
}

/** A call that throws: its code, its class, and its message. */
export function expectError(
  run: () => unknown,
  code: string,
  as: new (message: string) => Error,
  message: RegExp | string,
): void {
  let error: unknown;
  try {
    run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'no error was thrown').to.be.instanceOf(as);
  expect(error).to.have.property('code', code);
  if (typeof message === 'string') expect((error as Error).message).to.equal(message);
  else expect((error as Error).message).to.match(message);
}

/** A promise that rejects with a code. */
export async function expectRejection(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, 'no error was thrown').to.have.property('code', code);
}
