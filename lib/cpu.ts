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

/**
 * The CPU engine.
 *
 * `threads`: how many threads share a large call; by default as many as there are cores, or what
 * the environment variable `CULOSS_NUM_THREADS` says. A result has the same bits for any number.
 *
 * @example
 * ```js
 * import { cpu } from 'culoss';
 * cpu.threads = 1;
 * console.log(cpu.threads); // 1
 * ```
 */
export const cpu = {
  get threads(): number {
    return binding.cpuThreads();
  },
  set threads(count: number) {
    setThreads(count, 'cpu.threads');
  },
};

const fromEnvironment = process.env.CULOSS_NUM_THREADS;
if (fromEnvironment) setThreads(Number(fromEnvironment), 'CULOSS_NUM_THREADS');
