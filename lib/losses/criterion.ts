import type { Operand } from '../../binding';
import type { TensorLike } from '../convert';
import { checkDevice, type Device, type DeviceLike, deviceIndex } from '../device';
import type { FloatDtype } from '../dtype';
import { fail, native } from '../errors';
import { binding } from '../native';
import { empty, isTensor, operandOf, type Tensor } from '../tensor';
import { checkOptions } from '../validate';
import { readGradOutput, readInputs, readOutput, readsAsDense, readTargets } from './arguments';
import { type LossKind, type LossOptions, readOptions, type Settings } from './options';
import { Placed } from './placed';

/** What `forward` takes beside inputs and targets. */
export interface ForwardOptions {
  /** Where the loss is written: a tensor, or typed array, of its shape and dtype. */
  out?: TensorLike;
}

/** What `valueAndGrad` takes beside inputs and targets. */
export interface ValueAndGradOptions extends ForwardOptions {
  /** The upstream gradient: a number, or a tensor of the loss's shape. Default: 1. */
  gradOutput?: number | TensorLike;
  /** Where the gradient is written: a tensor, or typed array, of the inputs' shape and dtype. */
  outGrad?: TensorLike;
}

/** A loss and its gradient with respect to the inputs. */
export interface ValueAndGrad {
  loss: Tensor<'float32' | 'float64'>;
  grad: Tensor<FloatDtype>;
}

/** A loss with its options: made once, called many times. The base of the four losses. */
export abstract class Criterion {
  readonly #settings: Settings;
  readonly #native: InstanceType<typeof binding.Criterion>;
  readonly #alpha: number | Placed | undefined;

  protected constructor(kind: LossKind, options: LossOptions) {
    this.#settings = readOptions(kind, options);
    this.#native = native(() => new binding.Criterion(this.#settings.native));
    const { alpha } = this.#settings;
    this.#alpha = isTensor(alpha) ? new Placed(alpha) : alpha;
  }

  /** Alpha where it is now: it follows the inputs to their device once and stays there. */
  get alpha(): number | Tensor | undefined {
    return this.#alpha instanceof Placed ? this.#alpha.current : this.#alpha;
  }

  /** Moves alpha to CUDA device `index` ahead of time; returns the criterion. */
  cuda(index = 0): this {
    return this.to(`cuda:${index}`);
  }

  /** Moves alpha to the CPU; returns the criterion. */
  cpu(): this {
    return this.to('cpu');
  }

  /** Moves alpha to a device ahead of time; returns the criterion. */
  to(device: DeviceLike): this {
    const target = checkDevice(device, 'device');
    if (this.#alpha instanceof Placed) this.#alpha.on(target);
    return this;
  }

  /**
   * The loss of `inputs` `[N, C]` against `targets`: class ids of N elements, or dense `[N, C]`.
   *
   * Returns a tensor on the inputs' device, float32, or float64 for float64 inputs: of shape `[]`
   * for `mean` and `sum`, `[N, C]` for `matrix`; for `none` `[N]` from the categorical losses and
   * `[N, C]` from the binary ones.
   *
   * Throws `ERR_SHAPE`, `ERR_DTYPE`, `ERR_DEVICE`, `ERR_DISPOSED`, and `ERR_TARGET_RANGE` for a
   * class id outside `[0, C)`: at once on the CPU, at the next read on a CUDA device.
   */
  forward(
    inputs: TensorLike,
    targets: TensorLike,
    options: ForwardOptions = {},
  ): ValueAndGrad['loss'] {
    checkOptions(options, ['out']);
    return this.#run(inputs, targets, options, false).loss;
  }

  /**
   * The loss as `forward` returns it, and its gradient with respect to the inputs, multiplied by
   * `gradOutput`: of the inputs' shape, dtype and device.
   */
  valueAndGrad(
    inputs: TensorLike,
    targets: TensorLike,
    options: ValueAndGradOptions = {},
  ): ValueAndGrad {
    checkOptions(options, ['out', 'gradOutput', 'outGrad']);
    return this.#run(inputs, targets, options, true) as ValueAndGrad;
  }

  #run(
    inputsLike: TensorLike,
    targetsLike: TensorLike,
    options: ValueAndGradOptions,
    wantsGrad: boolean,
  ): Partial<ValueAndGrad> & Pick<ValueAndGrad, 'loss'> {
    const inputs = readInputs(inputsLike);
    const [rows, columns] = inputs.shape as [number, number];
    const { device } = inputs;
    const targets = readTargets(targetsLike, device);
    const oneHot = readsAsDense(inputs, targets, this.#settings.oneHot);
    const alpha = this.#alphaFor(columns, device);
    const lossShape = this.#lossShape(rows, columns);
    const gradOutput = readGradOutput(options.gradOutput, lossShape, device);
    const lossDtype = inputs.dtype === 'float64' ? 'float64' : 'float32';
    const given = {
      loss: readOutput(options.out, 'out', lossShape, lossDtype, device),
      grad: readOutput(options.outGrad, 'outGrad', inputs.shape, inputs.dtype, device),
    };

    const loss = given.loss ?? empty(lossShape, lossDtype, device);
    const grad = wantsGrad ? (given.grad ?? empty(inputs.shape, inputs.dtype, device)) : undefined;
    const operand = <V>(value: V | Tensor, name: string): V | Operand =>
      isTensor(value) ? operandOf(value, name) : value;
    const call = {
      device: deviceIndex(device),
      rows,
      columns,
      inputs: operandOf(inputs, 'inputs'),
      targets: operandOf(targets, 'targets'),
      oneHot,
      alpha: operand(alpha, 'options.alpha'),
      gradOutput: operand(gradOutput, 'gradOutput'),
      out: operandOf(loss, 'out'),
      outGrad: operand(grad, 'outGrad') as Operand | undefined,
    };
    native(() => this.#native.run(call));
    return { loss, grad };
  }

  #alphaFor(columns: number, device: Device): number | Tensor | undefined {
    if (!(this.#alpha instanceof Placed)) return this.#alpha;
    const { size, shape } = this.#alpha.current;
    if (size !== 1 && size !== columns) {
      fail('ERR_SHAPE', 'options.alpha', `a number or one value per class (${columns})`, shape);
    }
    operandOf(this.#alpha.current, 'options.alpha');
    return this.#alpha.on(device);
  }

  #lossShape(rows: number, columns: number): number[] {
    const { reduction, sides } = this.#settings.native;
    if (reduction === 'mean' || reduction === 'sum') return [];
    return reduction === 'none' && sides === 'targets' ? [rows] : [rows, columns];
  }
}
