import { inspect } from 'node:util';

/**
 * An error of the machine rather than of an argument: devices, memory, the native addon. Wrong
 * arguments are a `TypeError` or a `RangeError`; all of them have a `code`.
 *
 * @example
 * ```js
 * import { CulossError, Tensor, tensor } from 'culoss';
 * const t = tensor([1, 2]);
 * t.dispose();
 * try {
 *   t.dataSync();
 * } catch (error) {
 *   console.log(error instanceof CulossError, error.code, t instanceof Tensor); // true ERR_DISPOSED true
 * }
 * ```
 */
export class CulossError extends Error {
  /** `'CulossError'`. */
  override name = 'CulossError';
  /** What kind of error it is. */
  declare readonly code: ErrorCode;
}

/** Every code, and the class of the errors that carry it. */
export const errorClasses = {
  ERR_DTYPE: TypeError,
  ERR_SHAPE: RangeError,
  ERR_OPTION: RangeError, // and TypeError, for a value of the wrong type
  ERR_TARGET_RANGE: RangeError,
  ERR_DEVICE: CulossError,
  ERR_DISPOSED: CulossError,
  ERR_CUDA_UNAVAILABLE: CulossError,
  ERR_CUDA: CulossError,
  ERR_OUT_OF_MEMORY: CulossError,
  ERR_NATIVE_LOAD: CulossError,
} as const;

/** What `error.code` can be. */
export type ErrorCode = keyof typeof errorClasses;

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** Makes an error that carries its code. */
export function errorOf(
  code: ErrorCode,
  message: string,
  { as = errorClasses[code], cause }: { as?: ErrorClass; cause?: unknown } = {},
): Error & { code: ErrorCode } {
  const error = new as(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code });
}

/** Throws `argument: expected …, got …`. `as` replaces the usual class of the code. */
export function fail(
  code: ErrorCode,
  argument: string,
  expected: string,
  actual: unknown,
  as?: ErrorClass,
): never {
  throw errorOf(code, `${argument}: expected ${expected}, got ${describe(actual)}`, { as });
}

/** Throws for an option whose value has the wrong type. */
export function failType(argument: string, expected: string, actual: unknown): never {
  fail('ERR_OPTION', argument, expected, actual, TypeError);
}

/**
 * Runs native code, and gives the errors it throws the class of their code. They are plain ones:
 * others come from JavaScript that it calls, and pass.
 */
export function native<R>(run: () => R): R {
  try {
    return run();
  } catch (error) {
    throw classified(error);
  }
}

/** Begins native code that goes on beside this thread, and waits for its end; rejects likewise. */
export async function nativeAsync(begin: (done: (error?: Error) => void) => void): Promise<void> {
  const error = await new Promise((done) => native(() => begin(done)));
  if (error !== undefined) throw classified(error);
}

/** The same for one error. */
export function classified(error: unknown): unknown {
  const { code } = Object(error) as { code?: string };
  const isPlain = error instanceof Error && Object.getPrototypeOf(error) === Error.prototype;
  const isOurs = isPlain && code !== undefined && Object.hasOwn(errorClasses, code);
  return isOurs ? errorOf(code as ErrorCode, (error as Error).message) : error;
}

/** Characters of a value in a message. */
const longest = 200;

/** Text that stands for a value in a message, whatever the value is. */
export function describe(value: unknown): string {
  if (value instanceof Description) return value.text;
  try {
    if (Array.isArray(value) && value.length <= 8 && value.every((v) => typeof v === 'number')) {
      return `[${value.join(', ')}]`;
    }
    const text = inspect(value, {
      depth: 0,
      maxArrayLength: 4,
      maxStringLength: 60,
      breakLength: Number.POSITIVE_INFINITY,
      customInspect: false,
    });
    return text.length > longest ? `${text.slice(0, longest)}…` : text;
  } catch {
    return 'a value that cannot be shown';
  }
}

/** Words instead of a value: `got ${text}`. */
export class Description {
  constructor(readonly text: string) {}
}
