import type { Operand, Operands } from '../../binding';
import type { binding } from '../native';

/** A call of a criterion: its operands, where they are and how they are shaped. */
export interface Call extends Operands {
  device: number;
  /** The inputs' shape is (outer, columns, inner); a row is one (outer, inner). */
  outer: number;
  columns: number;
  inner: number;
  isDense: boolean;
}

/** A criterion in the addon. */
export type NativeCriterion = InstanceType<typeof binding.Criterion>;
type Given = number | Operand | undefined;
type Argument = Operand['memory'] | number | undefined;

/** Read by the addon before anything else can run. */
const numbers = new Float64Array(25);

/** In the order of the addon's arguments. */
export const operandNames = [
  'inputs',
  'targets',
  'alpha',
  'weight',
  'posWeight',
  'normalizer',
  'sampleWeight',
  'gradOutput',
  'out',
  'outGrad',
] as const satisfies readonly (keyof Operands)[];

/** Calls the addon, which takes arguments by position: names would take longer than a small loss. */
export function run(criterion: NativeCriterion, call: Call): void {
  setNumbers(call);
  criterion.run(
    numbers,
    argument(0, call.inputs),
    argument(1, call.targets),
    argument(2, call.alpha),
    argument(3, call.weight),
    argument(4, call.posWeight),
    argument(5, call.normalizer),
    argument(6, call.sampleWeight),
    argument(7, call.gradOutput),
    argument(8, call.out),
    argument(9, call.outGrad),
  );
}

/** Starts a call on the CPU, beside this thread; what it returns ends that early. */
export function start(
  criterion: NativeCriterion,
  call: Call,
  done: (error?: Error) => void,
): () => void {
  setNumbers(call);
  return criterion.start(done, numbers, ...argumentsOf(call));
}

/** Throws what a call throws of its operands. */
export function check(criterion: NativeCriterion, call: Call): void {
  setNumbers(call);
  criterion.check(numbers, ...argumentsOf(call));
}

/** Fills a table of what each class contributes, for many gammas; returns the divisor. */
export function sweep(
  criterion: NativeCriterion,
  call: Call,
  gammas: Float64Array,
  into: Float64Array,
): number {
  setNumbers(call);
  return criterion.sweep(gammas, into, numbers, ...argumentsOf(call));
}

const argumentsOf = (call: Call): Argument[] =>
  operandNames.map((name, i) => argument(i, call[name]));

function setNumbers(call: Call): void {
  numbers[0] = call.device;
  numbers[1] = call.outer;
  numbers[2] = call.columns;
  numbers[3] = call.inner;
  numbers[4] = Number(call.isDense);
}

function argument(position: number, given: Given): Argument {
  if (given === undefined || typeof given === 'number') return given;
  numbers[5 + 2 * position] = given.dtype;
  numbers[6 + 2 * position] = given.size;
  return given.memory;
}
