// How the commands read their arguments: what is wrong with those is one line, and never a stack.
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Arguments that a command does not have. */
export class UsageError extends Error {
  override name = 'UsageError';
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; strict: true; allowPositionals: false }>
>['values'];

/** The options of a command. Throws a `UsageError` for any other argument. */
export function readOptions<const O extends Options>(
  args: readonly string[],
  options: O,
): Values<O> {
  try {
    const joined = withNegatives(args, options);
    const { values } = parseArgs({ args: joined, options, strict: true, allowPositionals: false });
    for (const [name, value] of Object.entries(values)) {
      if (value === '') throw new UsageError(`Option '--${name}' is empty`);
    }
    return values;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!code.startsWith('ERR_PARSE_ARGS')) throw error;
    const [what = message] = message.split('. '); // what follows is about `--`
    throw new UsageError(what);
  }
}

/** `--axis -1` as `--axis=-1`: what begins with a dash would be taken for another option. */
function withNegatives(args: readonly string[], options: Options): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1) ?? '';
    const takesValue = last.startsWith('--') && options[last.slice(2)]?.type === 'string';
    if (takesValue && /^-[\d.]/.test(arg)) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}
