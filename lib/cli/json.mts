/** An object as JSON; numbers that it does not have, NaN and the infinities, as strings. */
export const json = (report: unknown): string =>
  JSON.stringify(
    report,
    (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value),
    2,
  );
