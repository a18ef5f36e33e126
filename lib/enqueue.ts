import { isAsyncFunction } from 'node:util/types';
import { Description, failType } from './errors';

/** What is enqueued by the time it returns. */
export type Work<R> = () => R;

/**
 * The same work, refused where it is not done when it returns: what it enqueues later would go
 * elsewhere.
 */
export function checkWork<R>(work: Work<R>, argument: string): Work<R> {
  const expected = 'a function that is done when it returns';
  if (typeof work !== 'function') failType(argument, expected, work);
  if (isAsyncFunction(work)) failType(argument, expected, new Description('an async one'));
  return () => {
    const result = work();
    if (isThenable(result)) {
      abandon(result);
      failType(argument, expected, new Description('one with a promise'));
    }
    return result;
  };
}

/** Refuses a promise: what it rejects with later is not told beside that. */
export function abandon(promise: unknown): void {
  Promise.resolve(promise).catch(() => {});
}

/** Whether a value is a promise, or will be taken for one. */
export function isThenable(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as { then?: unknown }).then === 'function';
}
