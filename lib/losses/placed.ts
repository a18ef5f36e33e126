import type { Device } from '../device';
import type { Tensor } from '../tensor';

/** A tensor that follows its users: copied to a device once, when it is first wanted there. */
export class Placed {
  readonly #copies = new Map<Device, Tensor>();
  #current: Tensor;

  constructor(tensor: Tensor) {
    this.#current = tensor;
    this.#copies.set(tensor.device, tensor);
  }

  /** The copy that was wanted last. */
  get current(): Tensor {
    return this.#current;
  }

  on(device: Device): Tensor {
    let copy = this.#copies.get(device);
    if (copy === undefined) {
      copy = this.#current.to(device);
      this.#copies.set(device, copy);
    }
    this.#current = copy;
    return copy;
  }
}
