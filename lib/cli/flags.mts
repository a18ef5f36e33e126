// The options of the losses as flags of the command line.
import { type Alpha, type LossOptions, type Tensor, tensor } from '../index.mjs';
import { readNpy } from './npy.mjs';
import { UsageError } from './usage.mjs';

/** How the text of a flag becomes the value of an option. */
type Reader = (text: string, flag: string) => unknown;

const text: Reader = (value) => value;

const number: Reader = (value, flag) => {
  const read = value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isNaN(read)) throw new UsageError(`${flag} expects a number, got '${value}'`);
  return read;
};

const numbers: Reader = (value, flag) => value.split(',').map((each) => number(each, flag));

const yesOrNo: Reader = (value, flag) => {
  if (value !== 'true' && value !== 'false') {
    throw new UsageError(`${flag} expects true or false, got '${value}'`);
  }
  return value === 'true';
};

/** A file of numbers. */
const file: Reader = (value, flag) => {
  const { data, shape, dtype } = readNpy(value, flag);
  return tensor(data, shape, { dtype });
};

/** A number, numbers with commas between them, or a file of them. */
const values: Reader = (value, flag) => {
  if (value.endsWith('.npy')) return file(value, flag);
  return value.includes(',') ? numbers(value, flag) : number(value, flag);
};

const perClass: Reader = (value, flag) =>
  value.endsWith('.npy') ? file(value, flag) : numbers(value, flag);

const names = ['targets', 'elements', 'rows', 'positives'];
const normalizer: Reader = (value, flag) => (names.includes(value) ? value : values(value, flag));

const clamp: Reader = (value, flag) => (value === 'none' ? null : numbers(value, flag));

/** Every option of a loss: its flag, what it takes and what it means. */
const flags = {
  from: ['probabilities|logits', 'what the inputs are', text],
  oneHot: ['true|false', 'dense targets, or class ids; by the shapes if absent', yesOrNo],
  gamma: ['<number>', 'focal losses: how much less counts what is right; 2', number],
  alpha: ['<number or list>', "the weight of the target's term", values],
  weight: ['<list>', 'one weight per class', perClass],
  posWeight: ['<number or list>', 'binary losses: multiplies the positive terms', values],
  clamp: ['<low,high>|none', 'bounds of probabilities; 0.001,1', clamp],
  reduction: ['mean|sum|none|matrix', 'how many losses there are', text],
  normalizer: ['<name or number>', 'what the mean divides by', normalizer],
  onEmpty: ['nan|zero', 'the mean over nothing', text],
  ignoreIndex: ['<integer>', 'rows with this class id count nowhere', number],
  labelSmoothing: ['<number>', 'the share of each target that is spread', number],
  negatives: ['complement|zero-targets', 'binary losses: what counts against a class', text],
  axis: ['<integer>', 'the class axis; 1', number],
  validate: ['deferred|eager|off', 'when a bad class id on a device is told', text],
} as const satisfies Record<string, readonly [string, string, Reader]>;

type Name = keyof typeof flags;
const everyName = Object.keys(flags) as Name[];

/** `labelSmoothing` as `label-smoothing`. */
export const flagOf = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Flags by their names, as they were read. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** What `parseArgs` has to know of them. */
export const lossFlags: Record<string, { type: 'string' }> = Object.fromEntries(
  everyName.map((name) => [flagOf(name), { type: 'string' }]),
);

/** The options that were given as flags. */
export function lossOptions(given: Flags): LossOptions {
  const read = everyName.flatMap((name) => {
    const value = given[flagOf(name)];
    if (typeof value !== 'string') return [];
    const [, , reader] = flags[name];
    return [[name, reader(value, `--${flagOf(name)}`)]];
  });
  return Object.fromEntries(read);
}

/** A list of gammas. */
export const gammasOf = (value: string): number[] => numbers(value, '--gammas') as number[];

/** A list of alphas: numbers, files with one per class, or `none`. */
export const alphasOf = (value: string): Alpha[] =>
  value.split(',').map((each) => {
    if (each === 'none') return null;
    const read = values(each, '--alphas') as number | Tensor;
    return typeof read === 'number' ? read : (read.arraySync() as number[]);
  });

/** The upstream gradient: a number, or a file. */
export const gradOutputOf = (value: string): number | Tensor =>
  (value.endsWith('.npy') ? file : number)(value, '--grad-output') as number | Tensor;

/** Lines of help. */
export const helpOfFlags = everyName
  .map((name) => {
    const [takes, meaning] = flags[name];
    return `  --${flagOf(name)} ${takes}`.padEnd(40) + meaning;
  })
  .join('\n');
