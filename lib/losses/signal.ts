import { failType } from '../errors';

/** What an async call takes of an `AbortSignal`. */
export interface AbortSignalLike {
  /** Whether it was given. */
  readonly aborted: boolean;
  /** What the call then rejects with. */
  readonly reason: unknown;
  /** Is called when a call begins. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Is called when it ends. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Throws unless it is one, or undefined; and its reason, if it was given. */
export function checkSignal(signal: AbortSignalLike | undefined, argument: string): void {
  if (signal === undefined) return;
  const { aborted, addEventListener, removeEventListener } = Object(signal) as AbortSignalLike;
  const hasMethods = [addEventListener, removeEventListener].every((f) => typeof f === 'function');
  if (typeof aborted !== 'boolean' || !hasMethods) failType(argument, 'an AbortSignal', signal);
  if (aborted) throw signal.reason;
}

/** Calls under way by their signal, which has one listener for all: Node warns of many. */
const underWay = new WeakMap<AbortSignalLike, { stops: Set<() => void>; listener: () => void }>();

/** Calls `stop` when the signal is given, until what this returns is called. */
export function onAbort(signal: AbortSignalLike, stop: () => void): () => void {
  let calls = underWay.get(signal);
  if (calls === undefined) {
    const stops = new Set<() => void>();
    const listener = (): void => {
      for (const each of stops) each();
    };
    signal.addEventListener('abort', listener);
    calls = { stops, listener };
    underWay.set(signal, calls);
  }
  const { stops, listener } = calls;
  stops.add(stop);
  return () => {
    stops.delete(stop);
    if (stops.size > 0) return;
    underWay.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}
