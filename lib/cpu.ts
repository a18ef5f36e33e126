import { grantedCores } from './cgroup';
import { fail, failType } from './errors';
import { binding } from './native';

const mostThreads = 1024;

function setThreads(count: unknown, argument: string): void {
  const expected = `a whole number from 1 to ${mostThreads}`;
  if (typeof count !== 'number') failType(argument, expected, count);
  if (!Number.isInteger(count) || count < 1 || count > mostThreads) {
    fail('ERR_OPTION', argument, expected, count);
  }
  binding.setCpuThreads(count);
}

/** Instruction sets that the loops of the CPU engine are compiled for. */
export type Isa = 'baseline' | 'avx2' | 'avx512' | 'neon';

function setIsa(name: unknown, argument: string): void {
  const isas = binding.cpuIsas();
  const expected = `one of ${isas.join(', ')}`;
  if (typeof name !== 'string') failType(argument, expected, name);
  if (!isas.includes(name)) fail('ERR_OPTION', argument, expected, name);
  binding.setCpuIsa(name);
}

/**
 * The CPU engine.
 *
 * @example
 * ```js
 * import { cpu } from 'culoss';
 * cpu.threads = 1;
 * console.log(cpu.threads); // 1
 * ```
 */
export const cpu = {
  /**
   * How many threads share a large call; by default as many as there are cores that the process may
   * use, by its affinity and its control groups, or what the environment variable
   * `CULOSS_NUM_THREADS` says. A result has the same bits for any number.
   */
  get threads(): number {
    return binding.cpuThreads();
  },
  /** Throws `ERR_OPTION` for what is no whole number from 1 on. */
  set threads(count: number) {
    setThreads(count, 'cpu.threads');
  },
  /** The instruction sets that this machine has, the best one last. */
  get isas(): readonly Isa[] {
    return binding.cpuIsas() as Isa[];
  },
  /**
   * The one in use, of `isas`; by default the best, or what the environment variable `CULOSS_ISA` says.
   * All but `baseline` give the same bits in float32 and the half types.
   */
  get isa(): Isa {
    return binding.cpuIsa() as Isa;
  },
  /** Throws `ERR_OPTION` for one that this machine does not have. */
  set isa(name: Isa) {
    setIsa(name, 'cpu.isa');
  },
};

/** The number that a text is; the text itself if it is none. */
const numberIn = (text: string): number | string =>
  Number.isNaN(Number(text)) ? text : Number(text);

const { CULOSS_NUM_THREADS } = process.env;
if (CULOSS_NUM_THREADS) setThreads(numberIn(CULOSS_NUM_THREADS), 'CULOSS_NUM_THREADS');
binding.limitCpuThreads(grantedCores());
if (process.env.CULOSS_ISA) setIsa(process.env.CULOSS_ISA, 'CULOSS_ISA');
