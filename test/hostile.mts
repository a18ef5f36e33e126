// Calls with whatever a program may give by mistake, or on purpose. What must hold of them: a call
// gives tensors, with the numbers of a plain call where nothing hostile was given, or throws an error
// of ours, or what the program itself threw; a failed one has written nothing on the host, another
// nothing there but outputs, and none a byte around them.
import { createRequire } from 'node:module';
import { isTypedArray } from 'node:util/types';
import { expect } from 'chai';
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  cuda,
  type Device,
  NegativeLogLoss,
  Tensor,
  tensor,
} from 'culoss';
import fc from 'fast-check';
import { numbers } from './devices.mjs';
import { expectSame } from './expect.mjs';

const require = createRequire(import.meta.url);
const { errorClasses } = require('../../dist/errors.js') as { errorClasses: object };
const { binding } = require('../../dist/native.js') as { binding: typeof import('../binding.js') };

/** What the program throws. */
class Thrown extends Error {}
const raise = (): never => {
  throw new Thrown();
};

/** Bytes around what is given, which nobody may write. */
const guard = 64;
const guardByte = 0xa5;

/** None of a buffer that was detached. */
const bytesOf = (buffer: ArrayBufferLike): Uint8Array =>
  buffer.byteLength > 0 ? new Uint8Array(buffer) : new Uint8Array();

/** What a call is given, made anew for each. */
class Given {
  readonly #buffers: { buffer: ArrayBufferLike; bytes: number; isOutput: boolean }[] = [];
  #makesOutputs = false;
  /** Whether an error of the language, without a code, may come. */
  mayBePlain = false;

  constructor(readonly device: Device) {}

  /** A typed array in the midst of a buffer. */
  array<A extends typeof Float32Array | typeof Int32Array | typeof BigInt64Array | AnyArray>(
    kind: A,
    values: readonly number[],
    memory: 'own' | 'shared' | 'resizable' = 'own',
  ): InstanceType<A> {
    const bytes = values.length * kind.BYTES_PER_ELEMENT;
    const whole = 2 * guard + bytes;
    const buffer =
      memory === 'shared'
        ? new SharedArrayBuffer(whole)
        : memory === 'resizable'
          ? resizable(whole)
          : new ArrayBuffer(whole);
    new Uint8Array(buffer).fill(guardByte);
    const array = new kind(buffer as ArrayBuffer, guard, values.length);
    const isBig = array instanceof BigInt64Array || array instanceof BigUint64Array;
    values.forEach((value, i) => {
      (array as Float32Array)[i] = (
        isBig ? BigInt(Number.isFinite(value) ? Math.trunc(value) : 0) : value
      ) as number;
    });
    this.#buffers.push({ buffer, bytes, isOutput: this.#makesOutputs });
    return array as InstanceType<A>;
  }

  /** What is made by `make` may be written. */
  asOutput<V>(isOutput: boolean, make: () => V): V {
    this.#makesOutputs = isOutput;
    const made = make();
    this.#makesOutputs = false;
    return made;
  }

  /** The bytes of all buffers that are still there. */
  snapshot(): Uint8Array[] {
    return this.#buffers.map(({ buffer }) => bytesOf(buffer).slice());
  }

  /** That nothing but outputs was written since, or nothing at all. */
  expectSame(before: readonly Uint8Array[], alsoOutputs: boolean): void {
    this.#buffers.forEach(({ buffer, bytes, isOutput }, i) => {
      const [now, was] = [bytesOf(buffer), before[i]];
      if (now.length !== was?.length) return; // it was detached or shrunk, or made later
      const same = (from: number, to: number): void => {
        const order = Buffer.compare(now.subarray(from, to), was.subarray(from, to));
        expect(order, `memory ${i}, bytes ${from} to ${to}`).to.equal(0);
      };
      const mayChange = isOutput && !alsoOutputs;
      same(0, mayChange ? guard : now.length);
      if (mayChange) same(guard + bytes, now.length);
    });
  }
}

type AnyArray =
  | typeof Int8Array
  | typeof Uint8Array
  | typeof Uint8ClampedArray
  | typeof Uint16Array
  | typeof Uint32Array
  | typeof Float64Array
  | typeof BigUint64Array;

const kinds = [
  ...[Int8Array, Uint8Array, Uint8ClampedArray, Uint16Array, Int32Array, Uint32Array],
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
] as const;

type Make = (given: Given) => unknown;

// Node has them before the types do.
interface Resizable extends ArrayBuffer {
  readonly resizable: boolean;
  resize(bytes: number): void;
}
const resizable = (bytes: number): ArrayBuffer =>
  new (ArrayBuffer as new (bytes: number, options: object) => ArrayBuffer)(bytes, {
    maxByteLength: 2 * bytes,
  });

const detach = (array: unknown): void => {
  const { buffer } = array as { buffer?: unknown };
  if (buffer instanceof ArrayBuffer) structuredClone(buffer, { transfer: [buffer] });
};
const shrink = (array: unknown): void => {
  const { buffer } = array as { buffer?: Resizable };
  if (buffer instanceof ArrayBuffer && buffer.resizable && buffer.byteLength > 0) {
    buffer.resize(guard);
  }
};

const elements = fc.array(
  fc.oneof(
    fc.double({ min: -4, max: 4 }),
    fc.constantFrom(0, 1, 2, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, -0, 2 ** 53),
  ),
  { maxLength: 12 },
);

const typedArray: fc.Arbitrary<Make> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    numbers: elements,
    memory: fc.constantFrom('own' as const, 'shared' as const, 'resizable' as const),
    fate: fc.constantFrom('', '', '', 'detached', 'shrunk'),
  })
  .map(({ kind, numbers, memory, fate }) => (given) => {
    const array = given.array(kind as AnyArray, numbers, memory);
    if (fate === 'detached') detach(array);
    if (fate === 'shrunk') shrink(array);
    return array;
  });

const length = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.constantFrom(
    -1,
    0.5,
    Number.NaN,
    2 ** 31,
    2 ** 32 + 2,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    '2',
  ),
);
const shape: fc.Arbitrary<unknown> = fc.oneof(
  fc.array(length, { maxLength: 4 }),
  fc.constantFrom(undefined, null, 3, '3', {}, [2, 3], [3, 2], [6], [1, 6, 1], Array(20).fill(1)),
);

const plain: fc.Arbitrary<Make> = fc
  .oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
    fc.constantFrom(
      ...[Symbol('s'), raise, () => 1, 10n ** 400n, new DataView(new ArrayBuffer(8)), /x/],
      ...[Object.create(Tensor.prototype), Tensor, new Proxy([1, 2], {}), [[1, 2], [3]], [[[[1]]]]],
      ...[
        'cpu',
        'cuda:0',
        'mean',
        null,
        Number.NaN,
        { length: 2 ** 40 },
        new Array(2),
        new Float32Array(0),
      ],
    ),
    fc.array(elements, { maxLength: 4 }),
  )
  .map((value) => () => value);

/** A tensor that may have been disposed, or be of another dtype than it should. */
const tensors: fc.Arbitrary<Make> = fc
  .record({
    kind: fc.constantFrom(Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array),
    numbers: elements,
    isDisposed: fc.boolean(),
  })
  .map(({ kind, numbers, isDisposed }) => (given) => {
    const made = tensor(given.array(kind as AnyArray, numbers)).to(given.device);
    if (isDisposed) made.dispose();
    return made;
  });

const shaped = (inner: fc.Arbitrary<Make>): fc.Arbitrary<Make> =>
  fc
    .record({ data: inner, shape, name: fc.constantFrom('shape', 'dims'), dtype: plain })
    .chain((parts) => fc.boolean().map((hasDtype) => ({ ...parts, hasDtype })))
    .map(({ data, shape, name, dtype, hasDtype }) => (given) => ({
      data: data(given),
      [name]: shape,
      ...(hasDtype ? { dtype: dtype(given) } : {}),
    }));

/** A value that is something else each time, that throws, or that was revoked. */
const behaving = (inner: fc.Arbitrary<Make>): fc.Arbitrary<Make> =>
  fc
    .record({
      target: inner,
      other: inner,
      kind: fc.constantFrom('proxy', 'throws', 'changes', 'revoked'),
    })
    .map(({ target, other, kind }) => (given) => {
      const [value, next] = [target(given), other(given)];
      if (kind === 'changes') {
        let reads = 0;
        const read = (): unknown => (reads++ % 2 ? next : value);
        return Object.defineProperties({} as object, {
          data: { get: read, enumerable: true },
          shape: { get: read, enumerable: true },
          length: { get: read, enumerable: true },
        });
      }
      const object = typeof value === 'object' && value !== null ? value : {};
      if (kind === 'proxy') {
        given.mayBePlain = true; // methods of the language refuse it where they stand
        return new Proxy(object, {});
      }
      if (kind === 'throws') return new Proxy(object, { get: raise, has: raise, ownKeys: raise });
      given.mayBePlain = true;
      const { proxy, revoke } = Proxy.revocable(object, {});
      revoke();
      return proxy;
    });

const ordinary = fc.oneof(typedArray, plain, tensors, shaped(typedArray));
const anyValue = fc.oneof({ arbitrary: ordinary, weight: 4 }, behaving(ordinary));

const losses = { NegativeLogLoss, BinaryCrossEntropy, BinaryFocalLoss, CategoricalFocalLoss };
const optionNames = [
  ...['from', 'oneHot', 'clamp', 'reduction', 'normalizer', 'onEmpty', 'alpha', 'gamma', 'weight'],
  ...['posWeight', 'ignoreIndex', 'labelSmoothing', 'negatives', 'axis', 'validate', 'no such'],
];
const sane = {
  from: ['probabilities', 'logits'],
  reduction: ['mean', 'sum', 'none', 'matrix'],
  axis: [0, 1, -1],
  alpha: [0.25, [1, 2, 3]],
  weight: [[1, 2, 3]],
  validate: ['eager', 'off'],
  ignoreIndex: [-1, 1],
} as const;

const options: fc.Arbitrary<Record<string, Make>> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...Object.keys(sane)), fc.nat(), { maxKeys: 3 }),
    fc.dictionary(fc.constantFrom(...optionNames), anyValue, { maxKeys: 1 }),
  )
  .map(([kept, hostile]) => ({
    ...Object.fromEntries(
      Object.entries(kept).map(([name, i]) => {
        const values = sane[name as keyof typeof sane];
        return [name, () => values[i % values.length]];
      }),
    ),
    ...hostile,
  }));

/** What happens while the options of a call are read. */
const interruptions = ['none', 'none', 'detach', 'shrink', 'dispose', 'throw'] as const;

/** A call like any other, but for a few of its parts. */
export const hostileCall = fc.record({
  loss: fc.constantFrom(...(Object.keys(losses) as (keyof typeof losses)[])),
  options,
  form: fc.constantFrom('forward' as const, 'valueAndGrad' as const),
  isAsync: fc.boolean(),
  copy: fc.boolean(),
  memory: fc.constantFrom('own' as const, 'shared' as const, 'resizable' as const),
  replaced: fc.dictionary(
    fc.constantFrom('inputs', 'targets', 'sampleWeight', 'gradOutput', 'out', 'outGrad', 'this'),
    anyValue,
    { maxKeys: 2 },
  ),
  outputs: fc.boolean(),
  interruption: fc.constantFrom(...interruptions),
});
export type HostileCall = typeof hostileCall extends fc.Arbitrary<infer C> ? C : never;

const probabilities = [0.25, 0.5, 0.25, 0.125, 0.5, 0.375];

/** Makes the call; throws if something does not hold that must. Whether the call gave a result. */
export async function makeCall(call: HostileCall, device: Device): Promise<boolean> {
  const given = new Given(device);
  if (device !== 'cpu') await cuda.synchronize().catch(() => {}); // what another call deferred
  const place = (array: Float32Array | Int32Array, dims: readonly number[]): unknown =>
    device === 'cpu' ? { data: array, shape: dims } : tensor(array, dims).to(device);
  const { replaced, form } = call;
  const array = given.array(Float32Array, probabilities, call.memory);
  const part = (name: string, usual: () => unknown): unknown =>
    replaced[name] ? replaced[name](given) : usual();
  const inputs = part('inputs', () => place(array, [2, 3]));
  const targets = part('targets', () => place(given.array(Int32Array, [0, 2]), [2]));
  const outputs = (): Record<string, unknown> =>
    call.outputs
      ? {
          out: place(given.array(Float32Array, [7], call.memory), []),
          outGrad: place(given.array(Float32Array, Array(6).fill(7), call.memory), [2, 3]),
        }
      : {};
  const wanted = form === 'forward' ? ['out'] : ['out', 'outGrad'];
  const written = given.asOutput(true, () => {
    const usual = outputs();
    return wanted.map((name) => [name, part(name, () => usual[name])]);
  });
  const read = (form === 'forward' ? ['sampleWeight'] : ['sampleWeight', 'gradOutput']).map(
    (name) => [name, part(name, () => undefined)],
  );
  const more = Object.fromEntries([...written, ...read].filter(([, value]) => value !== undefined));
  const interrupt = (): void => {
    if (call.interruption === 'throw') raise();
    if (call.interruption === 'detach') detach(array);
    if (call.interruption === 'shrink') shrink(array);
    if (call.interruption === 'dispose' && inputs instanceof Tensor) {
      given.mayBePlain = true; // it may be none
      inputs.dispose();
    }
  };
  const callOptions = Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries({ ...more, ...(call.isAsync && call.copy ? { copy: true } : {}) }).map(
        ([name, value]) => {
          const get = (): unknown => {
            interrupt();
            return value;
          };
          return [name, { get, enumerable: true }];
        },
      ),
    ),
  );

  let before = given.snapshot();
  let [value, error, isPromise] = [undefined, undefined, true] as [unknown, unknown, boolean];
  let usual: (() => unknown) | undefined;
  try {
    const settings = Object.entries(call.options).map(([name, make]) => [name, make(given)]);
    const criterion = new losses[call.loss](Object.fromEntries(settings));
    const self = part('this', () => criterion);
    if (self !== criterion) given.mayBePlain = true;
    const name = call.isAsync ? (`${form}Async` as const) : form;
    before = given.snapshot();
    const run = criterion[name] as (...all: unknown[]) => unknown;
    isPromise = !call.isAsync;
    const result = run.call(self, inputs, targets, callOptions);
    isPromise = true;
    if (call.isAsync) {
      expect(result).to.be.instanceOf(Promise);
      if (call.copy || call.memory === 'resizable') shrink(array); // in flight
    }
    value = await result;
    usual = () =>
      criterion[form](
        place(new Float32Array(probabilities), [2, 3]) as Tensor,
        place(new Int32Array([0, 2]), [2]) as Tensor,
      );
  } catch (thrown) {
    error = thrown;
  }

  expect(isPromise, 'an async form throws nothing').to.equal(true);
  given.expectSame(before, error !== undefined);
  if (error !== undefined) {
    expectOurs(error, given);
    return false;
  }
  const lossOf = (result: unknown): Tensor =>
    (form === 'forward' ? result : Object(result).loss) as Tensor;
  const loss = lossOf(value);
  expect(loss).to.be.instanceOf(Tensor);
  if (form === 'valueAndGrad') expect(Object(value).grad).to.be.instanceOf(Tensor);
  if (Object.keys(replaced).length === 0) {
    expectSame(numbers(loss), numbers(lossOf(usual?.())));
  }
  return true;
}

function expectOurs(error: unknown, given: Given): void {
  if (error instanceof Thrown) return;
  if (given.mayBePlain && error instanceof TypeError) return;
  const { code } = Object(error) as { code?: string };
  if (error instanceof Error && code !== undefined && code in errorClasses) return;
  throw new Error(`no error of ours: ${(error as Error)?.stack ?? String(error)}`);
}

/** Calls of the addon itself, which trusts nobody: a number, or an operand, or anything. */
export const nativeCall = fc.record({
  method: fc.constantFrom('run', 'check', 'start', 'sweep', 'cast', 'copy', 'other'),
  numbers: fc.array(
    fc.tuple(
      fc.nat({ max: 24 }),
      fc.oneof(
        fc.integer({ min: -2, max: 12 }),
        fc.constantFrom(Number.NaN, 1e308, 2 ** 31, 2 ** 32 + 2, 2 ** 53, 2 ** 63, 0.5, -1e18),
      ),
    ),
    { maxLength: 2 },
  ),
  replaced: fc.dictionary(fc.nat({ max: 10 }).map(String), anyValue, { maxKeys: 1 }),
  count: fc.oneof({ arbitrary: fc.constant(11), weight: 9 }, fc.nat({ max: 12 })),
  isDense: fc.boolean(),
  self: fc.oneof({ arbitrary: fc.constant(undefined), weight: 9 }, anyValue),
});
export type NativeCall = typeof nativeCall extends fc.Arbitrary<infer C> ? C : never;

const nativeOptions = {
  term: 'focal',
  sides: 'both',
  link: 'probability',
  reduction: 'mean',
  normalizer: 'elements',
  negatives: 'complement',
  validate: 'deferred',
  gamma: 2,
  clampLow: 0.001,
  clampHigh: 1,
  labelSmoothing: 0,
  ignoreIndex: undefined,
  valueOfEmpty: 0,
} as const;

/** The same of the addon. */
export async function makeNativeCall(call: NativeCall): Promise<boolean> {
  const given = new Given('cpu');
  const { Criterion } = binding;
  const numbers = new Float64Array(25);
  numbers.set([-1, 2, 3, 1, Number(call.isDense)]);
  const operands: unknown[] = [
    given.array(Float32Array, probabilities),
    call.isDense ? given.array(Float32Array, probabilities) : given.array(Int32Array, [0, 2]),
    ...Array(6).fill(undefined),
    given.asOutput(true, () => given.array(Float32Array, [7])),
    given.asOutput(true, () => given.array(Float32Array, Array(6).fill(7))),
  ];
  const all: unknown[] = [numbers, ...operands];
  for (const [at, make] of Object.entries(call.replaced)) {
    all[Number(at)] = given.asOutput(Number(at) >= 9, () => make(given));
  }
  // As many elements as there are, of a dtype that they may be of: shapes are left to the addon.
  all.slice(1).forEach((operand, i) => {
    if (!isTypedArray(operand)) return;
    const dtypes = [
      Float32Array,
      Float64Array,
      Uint16Array,
      Uint16Array,
      Int32Array,
      BigInt64Array,
    ];
    const dtype = dtypes.findIndex((kind) => operand instanceof kind);
    numbers[5 + 2 * i] = dtype < 0 ? 6 : dtype;
    numbers[6 + 2 * i] = operand.length;
  });
  for (const [at, value] of call.numbers) numbers[at] = value;
  all.length = call.count;
  const criterion = new Criterion(nativeOptions);
  const self = call.self ? call.self(given) : criterion;
  const before = given.snapshot();
  let isRight = false;
  const invoke = (f: unknown, ...list: unknown[]): unknown =>
    (f as (...all: unknown[]) => unknown).call(self, ...list);
  try {
    if (call.method === 'run') invoke(Criterion.prototype.run, ...all);
    else if (call.method === 'check') invoke(Criterion.prototype.check, ...all);
    else if (call.method === 'sweep') {
      const gammas = [0, 2, 3.5].slice(0, call.count % 4);
      const columns = call.isDense ? 3 : 2 + (call.count % 2); // 3 are right
      const table = new Float64Array(2 * columns * (2 + gammas.length));
      invoke(Criterion.prototype.sweep, Float64Array.from(gammas), table, ...all);
    } else if (call.method === 'start') {
      await new Promise<void>((done) => {
        invoke(Criterion.prototype.start, () => done(), ...all);
      });
    } else if (call.method === 'other') {
      new (Criterion as unknown as new (...list: unknown[]) => unknown)(...all);
      new (binding.DeviceMemory as unknown as new (...list: unknown[]) => unknown)(...all);
    } else {
      const [source, target] = [all[1], all[9]];
      const operand = (memory: unknown, i: number): object =>
        ({ memory, dtype: numbers[5 + 2 * i], size: numbers[6 + 2 * i] }) as object;
      const f = binding[call.method as 'cast'];
      if (call.method === 'copy') invoke(f, source, target);
      else invoke(f, operand(source, 0), operand(target, 8));
    }
    isRight = true;
  } catch (error) {
    if (!(error instanceof Error)) throw new Error(`no error: ${String(error)}`);
  }
  given.expectSame(before, !isRight);
  return isRight;
}
