import type { Operand, Operands } from '../../binding';
import { allocate, type Dtype, dtypes, type HostData, lengthOf } from '../dtype';
import { classified, Description, fail, failType, native } from '../errors';
import { hold } from '../lent';
import { binding } from '../native';
import { operandOf, type Tensor } from '../tensor';
import { type Call, check, type NativeCriterion, operandNames, start } from './call';
import { type AbortSignalLike, checkSignal, onAbort } from './signal';

/** What the async forms take beside what the others do. */
export interface AsyncOptions {
  /** Ends the call early; it rejects with the signal's reason, and outputs hold nothing of use. */
  signal?: AbortSignalLike;
  /**
   * Whether a call on the CPU works on copies of the arrays that it is given, so that they may change,
   * or be transferred, meanwhile. Copying takes the thread of JavaScript. Default: false.
   */
  copy?: boolean;
}

/** Throws unless they are what they should be; and the signal's reason, if it was given. */
export function checkAsyncOptions({ signal, copy }: AsyncOptions): void {
  if (copy !== undefined && typeof copy !== 'boolean') {
    failType('options.copy', 'true or false', copy);
  }
  checkSignal(signal, 'options.signal');
}

/** Runs a call on the CPU beside the thread of JavaScript. `made` are outputs that nobody has yet. */
export async function runInBackground(
  criterion: NativeCriterion,
  call: Call,
  options: AsyncOptions,
  made: readonly Tensor[],
): Promise<void> {
  const held = operandsOf(call).map(({ operand }) => hold(operand.memory as HostData));
  try {
    await runHeld(criterion, call, options, made);
  } finally {
    for (const letGo of held) letGo();
  }
}

async function runHeld(
  criterion: NativeCriterion,
  call: Call,
  { signal, copy = false }: AsyncOptions,
  made: readonly Tensor[],
): Promise<void> {
  const own = new Set(made.map((output) => operandOf(output, 'output')));
  const given = operandsOf(call).filter(({ operand }) => !own.has(operand));
  const isCopied = ({ operand }: Named): boolean => copy || canShrink(operand);
  if (given.some(isCopied)) native(() => check(criterion, call)); // copies share no memory
  const borrowed = given.map((one) => ({ ...one, copy: isCopied(one) ? copyOf(one) : undefined }));
  const copies = borrowed.flatMap(({ name, copy }) => (copy ? [[name, copy] as const] : []));
  const all = { ...call, ...Object.fromEntries(copies) };

  let stop: (() => void) | undefined;
  const ignore = signal && onAbort(signal, () => stop?.());
  let error: unknown;
  try {
    error = await new Promise((done) => {
      stop = native(() => start(criterion, all, done));
    });
  } finally {
    ignore?.();
  }
  if (signal?.aborted) throw signal.reason;
  const touched = borrowed.filter(({ name, copy }) => copy === undefined || isOutput(name));
  for (const { name, operand } of touched) expectWhole(name, operand);
  if (error !== undefined) throw classified(error);
  for (const { operand, copy } of touched) {
    if (copy) native(() => binding.copy(copy.memory as HostData, whole(operand)));
  }
}

interface Named {
  name: keyof Operands;
  operand: Operand;
}

const operandsOf = (call: Call): Named[] =>
  operandNames.flatMap((name) => {
    const operand = call[name];
    return typeof operand === 'object' ? [{ name, operand }] : [];
  });

const isOutput = (name: keyof Operands): boolean => name === 'out' || name === 'outGrad';

const whole = ({ memory, size }: Operand): HostData =>
  (memory as HostData).subarray(0, size) as HostData;

/** Whether pages of the memory can be taken away while it is in use. */
const canShrink = ({ memory }: Operand): boolean =>
  (memory as { buffer?: { resizable?: boolean } }).buffer?.resizable === true;

function copyOf({ name, operand }: Named): Operand {
  const memory = allocate(dtypes[operand.dtype] as Dtype, operand.size);
  if (!isOutput(name)) native(() => binding.copy(whole(operand), memory));
  return { ...operand, memory };
}

/** Memory that was there for the whole call still is. */
function expectWhole(name: string, { memory, size }: Operand): void {
  const length = lengthOf(memory as HostData);
  if (length >= size) return;
  const actual = new Description(`${length} (was its buffer detached or shrunk?)`);
  fail('ERR_SHAPE', name, `memory of ${size} elements for the whole call`, actual);
}
