import { AsyncLocalStorage } from 'node:async_hooks';
import { isThenable } from './enqueue';
import { failType } from './errors';

/** What a scope can free. */
interface Resource {
  readonly disposed: boolean;
  dispose(): void;
}

/** What was made in a scope, in this order; some of it may have been disposed since. */
class Scope {
  readonly #made = new Set<Resource>();
  #isOpen = true;
  #tidyAt = 64;

  constructor(readonly parent: Scope | undefined) {}

  add(resource: Resource): void {
    if (!this.#isOpen) {
      this.parent?.add(resource); // by work that nobody waited for
      return;
    }
    if (this.#made.size >= this.#tidyAt) this.#tidy();
    this.#made.add(resource);
  }

  /** Lets go of what was disposed, so that a scope may last as long as a training job. */
  #tidy(): void {
    for (const one of this.#made) if (one.disposed) this.#made.delete(one);
    this.#tidyAt = Math.max(64, 2 * this.#made.size);
  }

  forget(resource: Resource): void {
    this.#made.delete(resource);
    this.parent?.forget(resource);
  }

  has(resource: object): boolean {
    return this.#made.has(resource as Resource);
  }

  /** Frees all but `kept`, which the scope around it takes over; the last one first. */
  close(kept: ReadonlySet<object>): void {
    this.#isOpen = false;
    for (const one of [...this.#made].reverse()) {
      if (kept.has(one)) this.parent?.add(one);
      else one.dispose();
    }
    this.#made.clear();
  }
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** Leaves a resource to the scope that is open, if one is. Returns it. */
export function register<T extends Resource>(resource: T): T {
  scopes.getStore()?.add(resource);
  return resource;
}

/** Calls `work`; what that makes belongs to no scope, but to an object that lives longer. */
export function beyondScopes<R>(work: () => R): R {
  return scopes.getStore() ? scopes.run(undefined, work) : work();
}

/**
 * Calls `work`, and returns what it returns; frees all tensors, streams and graphs made meanwhile,
 * except those in the result (itself, or in its arrays and plain objects): they belong to the scope
 * around it, if there is one.
 *
 * `work` may be async: then it ends with its promise. What is made behind an `await`, in timers and
 * in functions called from there belongs to it, and to no scope that runs at the same time. What a
 * criterion keeps on a device for later calls stays. What `work` throws is thrown on, when all has
 * been freed.
 *
 * Throws `ERR_OPTION` for what is no function.
 *
 * @example
 * ```js
 * import { BinaryFocalLoss, scope, tensor } from 'culoss';
 * const criterion = new BinaryFocalLoss();
 * const grad = scope(() => {
 *   const p = tensor([[0.25, 0.75]]);
 *   return criterion.valueAndGrad(p, [1]).grad;
 * });
 * console.log(grad.disposed); // false
 * ```
 */
export function scope<R>(work: () => Promise<R>): Promise<R>;
export function scope<R>(work: () => R): R;
export function scope(work: () => unknown): unknown {
  if (typeof work !== 'function') failType('work', 'a function', work);
  const own = new Scope(scopes.getStore());
  const end = (result: unknown): unknown => {
    const kept = new Set<object>();
    try {
      collect(result, own, kept);
    } catch (error) {
      return fail(error);
    }
    own.close(kept);
    return result;
  };
  const fail = (error: unknown): never => {
    own.close(new Set());
    throw error;
  };
  let result: unknown;
  try {
    result = scopes.run(own, work);
  } catch (error) {
    return fail(error);
  }
  return isThenable(result) ? Promise.resolve(result).then(end, fail) : end(result);
}

/**
 * Takes a tensor, stream or graph out of the scopes that are open: it lives until it is disposed.
 * Returns it.
 *
 * @example
 * ```js
 * import { keep, scope, tensor } from 'culoss';
 * let best = tensor([0]);
 * scope(() => {
 *   best = keep(tensor([1]));
 * });
 * console.log(best.item()); // 1
 * ```
 */
export function keep<T extends Resource>(resource: T): T {
  if (typeof (resource as Resource | undefined)?.dispose !== 'function') {
    failType('resource', 'a tensor, a stream or a graph', resource);
  }
  scopes.getStore()?.forget(resource);
  return resource;
}

/** Adds to `found` what a scope has made of that which a value holds. */
function collect(value: unknown, own: Scope, found: Set<object>): void {
  const seen = new Set<object>();
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null || seen.has(one)) return;
    seen.add(one);
    if (own.has(one)) found.add(one);
    else if (!Array.isArray(one) && !isPlain(one)) return;
    for (const inner of Object.values(one)) visit(inner);
  };
  visit(value);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
