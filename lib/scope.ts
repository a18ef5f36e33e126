import { AsyncLocalStorage } from 'node:async_hooks';
import { abandon, isThenable } from './enqueue';
import { Description, failType } from './errors';

/** What a scope can free. */
interface Resource {
  readonly disposed: boolean;
  dispose(): void;
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** The scope that frees a resource. */
const owners = new WeakMap<object, Scope>();

/** What was made in a scope, in this order; some of it may have been disposed since. */
export class Scope {
  readonly #made = new Set<Resource>();
  #isOpen = true;
  #tidyAt = 64;

  private constructor(readonly parent: Scope | undefined) {}

  /** The one that is open here. */
  static get current(): Scope | undefined {
    return scopes.getStore();
  }

  static open(): Scope {
    return new Scope(Scope.current);
  }

  /** Calls `work` in a scope, or in none. */
  static within<R>(owner: Scope | undefined, work: () => R): R {
    return owner === Scope.current ? work() : scopes.run(owner, work);
  }

  add(resource: Resource): void {
    if (!this.#isOpen) {
      this.parent?.add(resource); // by work that nobody waited for
      return;
    }
    if (this.#made.size >= this.#tidyAt) this.#tidy();
    this.#made.add(resource);
    owners.set(resource, this);
  }

  /** Lets go of what was disposed. */
  #tidy(): void {
    for (const one of this.#made) if (one.disposed) this.#made.delete(one);
    this.#tidyAt = Math.max(64, 2 * this.#made.size);
  }

  forget(resource: object): void {
    this.#made.delete(resource as Resource);
    owners.delete(resource);
  }

  /** Frees all but `kept`, the last one first; those go to the scope around it. */
  close(kept: ReadonlySet<object>): void {
    this.#isOpen = false;
    const [made, left] = [[...this.#made], [] as Resource[]];
    this.#made.clear();
    for (const one of made.reverse()) {
      owners.delete(one);
      if (kept.has(one)) left.push(one);
      else one.dispose();
    }
    for (const one of left.reverse()) this.parent?.add(one);
  }
}

/** Leaves a resource to the scope that is open, if one is. Returns it. */
export function register<T extends Resource>(resource: T): T {
  Scope.current?.add(resource);
  return resource;
}

/**
 * Calls `work`, and returns what it returns; disposes all tensors, streams and graphs made meanwhile.
 * Those in the result stay, and belong to the scope around it, if there is one: the result itself,
 * and what is in arrays, plain objects, Maps, Sets, and a graph's `result`.
 *
 * `work` may be async: then it ends with its promise, and what is made behind an `await`, in timers
 * and in functions called from there belongs to it, not to a scope that runs at the same time. A
 * promise within a result is refused: it would end later. A criterion made in `work` can be used
 * behind it, but tensors among its options are disposed. What `work` throws is thrown on, when all
 * has been disposed.
 *
 * A scope holds what was made in it until it ends, on the CPU too: open one for each step of a job,
 * not one around it.
 *
 * Throws `ERR_OPTION` for what is no function, and for a promise within the result.
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
export function scope<R>(work: () => R): R {
  if (typeof work !== 'function') failType('work', 'a function', work);
  const own = Scope.open();
  const end = <V>(result: V): V => {
    let kept: ReadonlySet<object>;
    try {
      kept = Scope.within(own, () => checkResult(result));
    } catch (error) {
      return abandon(error);
    }
    own.close(kept);
    return result;
  };
  const abandon = (error: unknown): never => {
    own.close(new Set());
    throw error;
  };
  let result: R;
  let promise: Promise<unknown> | undefined;
  try {
    result = Scope.within(own, () => {
      const given = work();
      if (isThenable(given)) promise = Promise.resolve(given);
      return given;
    });
  } catch (error) {
    return abandon(error);
  }
  return promise ? (promise.then(end, abandon) as R) : end(result);
}

/**
 * Takes tensors, streams and graphs out of their scopes: they live until they are disposed. Returns
 * what it is given: one of them, or arrays, plain objects, Maps and Sets with some.
 *
 * Throws `ERR_OPTION` for what is no object.
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
export function keep<T extends object>(resources: T): T {
  if (typeof resources !== 'object' || resources === null) {
    failType('resources', 'tensors, streams or graphs', resources);
  }
  for (const one of objectsIn(resources)) owners.get(one)?.forget(one);
  return resources;
}

/** The objects in a result, none of which may be a promise. */
function checkResult(result: unknown): ReadonlySet<object> {
  const objects = objectsIn(result);
  for (const one of objects) {
    if (isThenable(one)) {
      abandon(one);
      failType('work', 'a result without promises inside', new Description('one with a promise'));
    }
  }
  return objects;
}

/** A value, if it is an object, and all those in it. */
function objectsIn(value: unknown): Set<object> {
  const found = new Set<object>();
  const next: unknown[] = [value];
  while (next.length > 0) {
    const one = next.pop();
    if (typeof one !== 'object' || one === null || found.has(one)) continue;
    found.add(one);
    for (const inner of contentsOf(one)) if (typeof inner === 'object') next.push(inner);
  }
  return found;
}

function contentsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set || Array.isArray(value)) return value;
  return isPlain(value) || owners.has(value) ? Object.values(value) : [];
}

/** Of any realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
