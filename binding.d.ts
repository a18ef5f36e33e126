// The exact type of the native addon. TypeScript decides meaning; the addon guards memory.

/** An element of `dtypes` in lib/dtype.ts, by its position. */
type DtypeCode = number;

type HostMemory =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array;

/** Memory of one tensor: `size` elements of a dtype. */
export interface Operand {
  memory: HostMemory | DeviceMemory;
  dtype: DtypeCode;
  size: number;
}

/** What a criterion fixes. */
export interface CriterionOptions {
  term: 'cross-entropy' | 'focal';
  sides: 'targets' | 'both';
  link: 'probability' | 'sigmoid' | 'softmax';
  reduction: 'mean' | 'sum' | 'none' | 'matrix';
  normalizer: 'targets' | 'elements' | 'rows' | 'positives' | 'given';
  negatives: 'complement' | 'zero-targets';
  validate: 'deferred' | 'eager' | 'off';
  gamma: number;
  clampLow: number;
  clampHigh: number;
  labelSmoothing: number;
  /** Of class ids; of dense targets it is the value of what is ignored, for `sides: 'both'`. */
  ignoreIndex: number | undefined;
  valueOfEmpty: number;
}

/** What a call of a criterion works on, in this order. */
export interface Operands {
  inputs: Operand;
  /** class ids: (outer, inner); one-hot: the inputs' shape */
  targets: Operand;
  /** Each a number, (1) or (columns). */
  alpha: number | Operand | undefined;
  weight: number | Operand | undefined;
  posWeight: number | Operand | undefined;
  /** of the criterion's normalizer `'given'`: a number, or (1) */
  normalizer: number | Operand | undefined;
  /** (outer, inner), or the inputs' shape for `sides: 'both'` */
  sampleWeight: Operand | undefined;
  /** a number, or the shape of the loss */
  gradOutput: number | Operand | undefined;
  /** (1), (outer, inner) or the inputs' shape, of float32, or of float64 for float64 inputs */
  out: Operand;
  /** the inputs' shape and dtype; absent: only the value is computed */
  outGrad: Operand | undefined;
}

/** Of an operand its memory; or a number, or nothing. */
type Argument = HostMemory | DeviceMemory | number | undefined;

/**
 * The numbers are the device, -1 for the CPU; outer, columns and inner, of which the inputs' shape is
 * made, where a row is one (outer, inner); whether targets are dense; and then dtype and size of each
 * of the `Operands`.
 */
type CallArguments = [numbers: Float64Array, ...operands: Argument[]];

/** Is called when something is over, with what it failed with. */
type Done = (error?: Error) => void;

/** Ends early what was started. */
type Stop = () => void;

/** A criterion that was read once and can be called many times. */
export declare class Criterion {
  constructor(options: CriterionOptions);
  /** Fills `out` and `outGrad`; throws before it writes anything. All operands are on one device. */
  run(...call: CallArguments): void;
  /** Throws what `run` throws of the operands, before it looks at what is in them or enqueues it. */
  check(...call: CallArguments): void;
  /**
   * `run` for a call on the CPU, beside the thread of JavaScript; then `done` is called, with what
   * the call threw. What this returns ends the call early. Memory must stay until it is done.
   */
  start(done: Done, ...call: CallArguments): Stop;
  /**
   * For each side, each class and each of the gammas the sum of the losses, without alpha, of a call on
   * the CPU; returns the divisor. `into` is (2, 2 + gammas, columns): how many targets of the side and
   * class there are, what they weigh, and the sums. Writes no output.
   */
  sweep(gammas: Float64Array, into: Float64Array, ...call: CallArguments): number;
}

/** Memory for other processes; with a handle, that of another one. */
export interface Shared {
  handle?: Uint8Array;
  offset?: number;
}

/** What is copied; where memory of someone else is; or what processes share. */
export type Source = HostMemory | bigint | Shared;

/** Memory of a CUDA device. */
export declare class DeviceMemory {
  /**
   * A copy of the source, which waits for no other work; without one bytes as they come. With an
   * address memory of someone else, for whom `released` is called when nothing touches it any more.
   */
  constructor(device: number, byteLength: number, source?: Source, released?: Done);
  /** From memory of the same device a copy is enqueued; else this waits. */
  write(source: HostMemory | DeviceMemory): void;
  /** Waits for the device. */
  read(target: HostMemory): void;
  /** The bytes as they are now, which need as many on the device; then calls `done`. */
  readAsync(target: HostMemory, done: Done): void;
  /** Of memory that was made for other processes. */
  ipcHandle(): Uint8Array;
  dispose(): void;
}

/** A stream of a CUDA device. */
export declare class Stream {
  constructor(device: number);
  /** Calls `work`: what it enqueues on the device goes to the stream. Returns what it returns. */
  run(work: () => unknown): unknown;
  /** The same; returns how long the device took, in milliseconds. Waits. */
  time(work: () => unknown): number;
  /** Calls `done` when its work so far is. */
  synchronize(done: Done): void;
  /** The `cudaStream_t`. */
  address(): bigint;
  /** Waits for its work. */
  dispose(): void;
}

/** What `work` enqueued on a CUDA device. */
export declare class Graph {
  constructor(device: number, work: () => unknown);
  replay(): void;
  /** Waits for its replays. */
  dispose(): void;
}

export interface Reason {
  code: string;
  message: string;
  hint: string;
}

/** Facts about a device. */
export interface Properties {
  name: string;
  major: number;
  minor: number;
  totalMemory: number;
}

/**
 * Of the pool that memory of a device comes from, in bytes; and how many objects the collector
 * has taken that nobody disposed, in this environment.
 */
export interface PoolMemory {
  allocated: number;
  reserved: number;
  peak: number;
  limit: number | null;
  leaks: number;
}

export declare function addressOf(memory: HostMemory | DeviceMemory): bigint;
/** Memory of someone else, which is theirs to keep. */
export declare function hostMemory(address: bigint, byteLength: number): ArrayBuffer;
/** Memory of the host that devices read and write by themselves. */
export declare function pinnedMemory(byteLength: number): ArrayBuffer;
export declare function detach(buffer: ArrayBuffer): void;

/** Converts on the host: to float64 from any dtype, to the half types from float64. */
export declare function cast(source: Operand, target: Operand): void;
/** Copies as many bytes, on all threads. */
export declare function copy(source: HostMemory, target: HostMemory): void;

type Labels = Float32Array | Int32Array | Uint8Array;

/** The mean of each row, of as many as there are means. */
export declare function meansOfRows(source: Float32Array, means: Float32Array): void;
/** Whether every row, of as many as there are ids, holds one 1 and else zeros; writes where. */
export declare function idsOfOneHot(source: Labels, ids: Int32Array): boolean;

export declare function cpuThreads(): number;
export declare function setCpuThreads(count: number): void;
/** Lowers the number that holds where none was set. */
export declare function limitCpuThreads(count: number): void;
/** Those that this machine has, the best one last. */
export declare function cpuIsas(): string[];
export declare function cpuIsa(): string;
export declare function setCpuIsa(name: string): void;

export declare function cudaUnavailableReason(): Reason | null;
export declare function cudaDeviceCount(): number;
export declare function cudaProperties(device: number): Properties;
export declare function cudaMemory(device: number): PoolMemory;
export declare function cudaResetPeakMemory(device: number): void;
export declare function cudaEmptyCache(device: number): void;
export declare function cudaLimitMemory(device: number, bytes: number | null): void;
/** Calls `done` when the device has done the work of this thread so far. */
export declare function cudaSynchronize(device: number, done: Done): void;
