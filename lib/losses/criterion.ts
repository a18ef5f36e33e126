import type { Operand } from '../../binding';
import type { TensorLike } from '../convert';
import { checkDevice, cudaAt, type DeviceLike, deviceIndex } from '../device';
import type { FloatDtype } from '../dtype';
import { native } from '../errors';
import { binding } from '../native';
import { register } from '../scope';
import { empty, isTensor, operandOf, type Tensor } from '../tensor';
import { checkOptions } from '../validate';
import {
  checkIgnoreIndex,
  readGradOutput,
  readInputs,
  readOutput,
  readSampleWeight,
  readsAsDense,
  readTargets,
} from './arguments';
import { axesOf } from './axes';
import { run } from './call';
import type { LossOptions } from './options';
import { type LossKind, readSettings, type Settings } from './settings';

/** What `forward` takes beside inputs and targets. */
export interface ForwardOptions {
  /**
   * Scales what rows, or for the binary losses elements, contribute, and does not enter the divisor:
   * of the inputs' shape without the class axis, or with one of length 1, or of the inputs' shape. Of
   * any dtype and sign.
   */
  sampleWeight?: TensorLike;
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

  protected constructor(kind: LossKind, options: LossOptions) {
    this.#settings = readSettings(kind, options);
    this.#native = native(() => new binding.Criterion(this.#settings.native));
  }

  /** Alpha where it is now: it follows the inputs to their device once and stays there. */
  get alpha(): number | Tensor | undefined {
    return this.#settings.placed.alpha.current;
  }

  /** The class weights where they are now; they follow the inputs as alpha does. */
  get weight(): Tensor | undefined {
    return this.#settings.placed.weight.current as Tensor | undefined;
  }

  /** Moves alpha and all weights to CUDA device `index` ahead of time; returns the criterion. */
  cuda(index = 0): this {
    return this.to(cudaAt(index));
  }

  /** Moves alpha and all weights to the CPU; returns the criterion. */
  cpu(): this {
    return this.to('cpu');
  }

  /** Moves alpha and all weights to a device ahead of time; returns the criterion. */
  to(device: DeviceLike): this {
    const target = checkDevice(device, 'device');
    for (const placed of Object.values(this.#settings.placed)) placed.on(target);
    return this;
  }

  /**
   * The loss of `inputs` `[N, C, d1, …]` against `targets`: class ids of the shape `[N, d1, …]`, or
   * dense targets of the inputs' shape.
   *
   * Returns a tensor on the inputs' device, float32, or float64 for float64 inputs: of shape `[]`
   * for `mean` and `sum`, of the inputs' shape for `matrix`, and for `none` of the inputs' shape from
   * the binary losses and without the class axis from the categorical ones.
   *
   * Throws `ERR_SHAPE`, `ERR_DTYPE`, `ERR_OPTION`, `ERR_DEVICE`, `ERR_DISPOSED`, and
   * `ERR_TARGET_RANGE` for a class id outside `[0, C)`: at once on the CPU, on a CUDA device as
   * `validate` says.
   */
  forward(
    inputs: TensorLike,
    targets: TensorLike,
    options: ForwardOptions = {},
  ): ValueAndGrad['loss'] {
    checkOptions(options, ['sampleWeight', 'out']);
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
    checkOptions(options, ['sampleWeight', 'out', 'gradOutput', 'outGrad']);
    return this.#run(inputs, targets, options, true) as ValueAndGrad;
  }

  #run(
    inputsLike: TensorLike,
    targetsLike: TensorLike,
    options: ValueAndGradOptions,
    wantsGrad: boolean,
  ): Partial<ValueAndGrad> & Pick<ValueAndGrad, 'loss'> {
    const inputs = readInputs(inputsLike);
    const { device } = inputs;
    const { placed, oneHot: wanted, axis } = this.#settings;
    const { sides, ignoreIndex } = this.#settings.native;
    const axes = axesOf(inputs.shape, axis);
    const { outer, columns, inner } = axes;
    const targets = readTargets(targetsLike, device);
    const oneHot = readsAsDense(inputs, targets, wanted, axes);
    checkIgnoreIndex(ignoreIndex, targets, { columns, isDense: oneHot, sides });
    const sampleWeight = readSampleWeight(options.sampleWeight, inputs, axes, sides);
    for (const option of Object.values(placed)) option.expectFits(columns);
    const lossShape = this.#lossShape(inputs.shape, axes.rowShape);
    const gradOutput = readGradOutput(options.gradOutput, lossShape, device);
    const lossDtype = inputs.dtype === 'float64' ? 'float64' : 'float32';
    const given = {
      loss: readOutput(options.out, 'out', lossShape, lossDtype, device),
      grad: readOutput(options.outGrad, 'outGrad', inputs.shape, inputs.dtype, device),
    };

    // All that can be wrong with the arguments was found. From here on memory is taken.
    const [temporary, outputs]: [Tensor[], Tensor[]] = [[], []];
    const operand = <V>(value: V | Tensor, name: string): V | Operand => {
      if (!isTensor(value)) return value;
      if (value.device === device) return operandOf(value, name);
      const there = value.to(device); // what was given as plain arrays
      temporary.push(there);
      return operandOf(there, name);
    };
    const made = <D extends FloatDtype>(shape: readonly number[], dtype: D): Tensor<D> => {
      const output = empty(shape, dtype, device);
      outputs.push(output);
      return register(output);
    };
    try {
      const loss = given.loss ?? made(lossShape, lossDtype);
      const grad = wantsGrad ? (given.grad ?? made(inputs.shape, inputs.dtype)) : undefined;
      const call = {
        device: deviceIndex(device),
        outer,
        columns,
        inner,
        inputs: operandOf(inputs, 'inputs'),
        targets: operand(targets, 'targets') as Operand,
        isDense: oneHot,
        alpha: placed.alpha.operandOn(device),
        weight: placed.weight.operandOn(device),
        posWeight: placed.posWeight.operandOn(device),
        normalizer: placed.normalizer.operandOn(device),
        sampleWeight: operand(sampleWeight, 'sampleWeight') as Operand | undefined,
        gradOutput: operand(gradOutput, 'gradOutput'),
        out: operandOf(loss, 'out'),
        outGrad: operand(grad, 'outGrad') as Operand | undefined,
      };
      native(() => run(this.#native, call));
      return { loss, grad };
    } catch (error) {
      for (const output of outputs) output.dispose();
      throw error;
    } finally {
      for (const tensor of temporary) tensor.dispose(); // in the order of the device's work
    }
  }

  #lossShape(shape: readonly number[], rowShape: readonly number[]): readonly number[] {
    const { reduction, sides } = this.#settings.native;
    if (reduction === 'mean' || reduction === 'sum') return [];
    return reduction === 'none' && sides === 'targets' ? rowShape : shape;
  }
}
