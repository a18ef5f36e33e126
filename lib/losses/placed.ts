import type { Operand } from '../../binding';
import type { Device } from '../device';
import { fail } from '../errors';
import { Scope } from '../scope';
import { isTensor, operandOf, type Tensor } from '../tensor';

/** How many values an option has: one for all, or one per class. */
export type Lengths = 'one' | 'per class' | 'either';

/**
 * An option that is a number or a tensor. A number goes along with every call; a tensor follows its
 * users: it is copied to a device once, when it is first wanted there; but one number stays where it
 * is.
 */
export class Placed {
  readonly #copies = new Map<Device, Tensor>();
  /** That of the criterion, and of its copies. */
  readonly #scope = Scope.current;
  #current: number | Tensor | undefined;

  constructor(
    readonly argument: string,
    readonly lengths: Lengths,
    value: number | Tensor | undefined,
  ) {
    this.#current = value;
    if (isTensor(value)) this.#copies.set(value.device, value);
  }

  /** The number, or the copy that was wanted last. */
  get current(): number | Tensor | undefined {
    return this.#current;
  }

  on(device: Device): number | Tensor | undefined {
    const value = this.#live();
    if (!isTensor(value) || value.disposed || this.lengths === 'one') return value;
    let copy = this.#copies.get(device);
    if (copy === undefined || copy.disposed) {
      copy = Scope.within(this.#scope, () => value.to(device));
      this.#copies.set(device, copy);
    }
    this.#current = copy;
    return copy;
  }

  /** A copy that is not disposed, if there is one: a scope may have done so with others. */
  #live(): number | Tensor | undefined {
    const current = this.#current;
    if (!isTensor(current) || !current.disposed) return current;
    return [...this.#copies.values()].find((copy) => !copy.disposed) ?? current;
  }

  /** Throws unless there are as many values as inputs of so many classes need. */
  expectFits(columns: number): void {
    const value = this.#live();
    if (!isTensor(value)) return;
    const { size, shape } = value;
    const fits =
      (size === 1 && this.lengths !== 'per class') || (size === columns && this.lengths !== 'one');
    if (!fits) {
      const perClass = `one value per class (${columns})`;
      const expected = {
        one: 'one number',
        'per class': perClass,
        either: `a number or ${perClass}`,
      };
      fail('ERR_SHAPE', this.argument, expected[this.lengths], shape);
    }
    operandOf(value, this.argument); // not disposed
  }

  /** What the addon takes. */
  operandOn(device: Device): number | Operand | undefined {
    const placed = this.on(device);
    if (!isTensor(placed)) return placed;
    // One number goes along from elsewhere: it changes from call to call.
    return placed.device === device ? operandOf(placed, this.argument) : placed.item();
  }
}
