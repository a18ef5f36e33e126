import type { Operand } from '../../binding';
import type { TensorLike } from '../convert';
import { cuda } from '../cuda';
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
import { type AsyncOptions, checkAsyncOptions, runInBackground } from './background';
import { type Call, check, run, sweep } from './call';
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
  /** As `forward` returns it. */
  loss: Tensor<'float32' | 'float64'>;
  /** Of the inputs' shape, dtype and device. */
  grad: Tensor<FloatDtype>;
}

/** A call whose arguments are all right, and what was taken for it. */
interface Prepared {
  call: Call;
  loss: ValueAndGrad['loss'];
  grad: ValueAndGrad['grad'] | undefined;
  /** Outputs, which nobody has if it fails. */
  made: Tensor[];
  /** Of the call alone. */
  temporary: Tensor[];
}

const forwardNames = ['sampleWeight', 'out'];
const gradNames = [...forwardNames, 'gradOutput', 'outGrad'];
const asyncNames = ['signal', 'copy'];

/** Whether a value is a criterion. */
export let isCriterion: (value: unknown) => value is Criterion;

/** The options that a criterion was made with. */
export let optionsOf: (criterion: Criterion) => Readonly<LossOptions>;

/** The same loss with some options changed. */
export let variantOf: (criterion: Criterion, change: LossOptions) => Criterion;

/** What each class contributes to the loss of tensors on the CPU, for many gammas. */
export let tableOf: (
  criterion: Criterion,
  inputs: TensorLike,
  targets: TensorLike,
  options: ForwardOptions,
  gammas: Float64Array,
) => { columns: number; table: Float64Array; divisor: number };

/** A loss with its options: made once, called many times. The base of the four losses. */
export abstract class Criterion {
  readonly #kind: LossKind;
  readonly #options: Readonly<LossOptions>;
  readonly #settings: Settings;
  readonly #native: InstanceType<typeof binding.Criterion>;

  static {
    class Variant extends Criterion {}
    isCriterion = (value): value is Criterion =>
      typeof value === 'object' && value !== null && #native in value;
    optionsOf = (criterion) => criterion.#options;
    variantOf = (criterion, change) =>
      new Variant(criterion.#kind, { ...criterion.#options, ...change });
    tableOf = (criterion, inputs, targets, options, gammas) => {
      const { call } = criterion.#prepare(inputs, targets, options, false);
      const { columns } = call;
      const table = new Float64Array(2 * columns * (2 + gammas.length));
      const divisor = native(() => sweep(criterion.#native, call, gammas, table));
      return { columns, table, divisor };
    };
  }

  protected constructor(kind: LossKind, options: LossOptions) {
    this.#kind = kind;
    this.#settings = readSettings(kind, options);
    this.#options = { ...options };
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
    checkOptions(options, forwardNames);
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
    checkOptions(options, gradNames);
    const { loss, grad } = this.#run(inputs, targets, options, true);
    return { loss, grad: grad as ValueAndGrad['grad'] };
  }

  /**
   * `forward`, beside the thread of JavaScript: on the CPU in a thread of its own and in those of the
   * pool but for one, call after call. Arguments are checked, and memory is taken, before it returns.
   *
   * The call reads and writes the arrays that it was given: until it is done they must neither change
   * nor be transferred, unless `copy` is set. A buffer that was detached or shrunk meanwhile is
   * `ERR_SHAPE`; if its memory is gone by then, the process may be, too. What is in a resizable buffer
   * is copied in any case. Tensors may be disposed. On a CUDA device, where `forward` waits for
   * nothing, this is the same; with `validate: 'eager'` it resolves when the device has come to the
   * call, and a bad class id leaves outputs unspecified.
   *
   * Rejects with what `forward` throws, and with the reason of `signal`.
   *
   * @example
   * ```js
   * import { BinaryFocalLoss } from 'culoss';
   * const loss = await new BinaryFocalLoss().forwardAsync([[0.25, 0.75]], [1]);
   * console.log(loss.item().toFixed(6)); // 0.017980
   * ```
   */
  async forwardAsync(
    inputs: TensorLike,
    targets: TensorLike,
    options: ForwardOptions & AsyncOptions = {},
  ): Promise<ValueAndGrad['loss']> {
    checkOptions(options, [...forwardNames, ...asyncNames]);
    return (await this.#runAsync(inputs, targets, options, false)).loss;
  }

  /** `valueAndGrad`, as `forwardAsync` is `forward`. */
  async valueAndGradAsync(
    inputs: TensorLike,
    targets: TensorLike,
    options: ValueAndGradOptions & AsyncOptions = {},
  ): Promise<ValueAndGrad> {
    checkOptions(options, [...gradNames, ...asyncNames]);
    const { loss, grad } = await this.#runAsync(inputs, targets, options, true);
    return { loss, grad: grad as ValueAndGrad['grad'] };
  }

  #run(
    inputs: TensorLike,
    targets: TensorLike,
    options: ValueAndGradOptions,
    wantsGrad: boolean,
  ): Prepared {
    const prepared = this.#prepare(inputs, targets, options, wantsGrad);
    try {
      native(() => run(this.#native, prepared.call));
      return prepared;
    } catch (error) {
      dispose(prepared.made);
      throw error;
    } finally {
      dispose(prepared.temporary); // in the order of the device's work
    }
  }

  async #runAsync(
    inputs: TensorLike,
    targets: TensorLike,
    options: ValueAndGradOptions & AsyncOptions,
    wantsGrad: boolean,
  ): Promise<Prepared> {
    checkAsyncOptions(options);
    const prepared = this.#prepare(inputs, targets, options, wantsGrad);
    const { call, made, temporary } = prepared;
    try {
      if (call.device < 0) await runInBackground(this.#native, call, options, made);
      else await this.#enqueue(call);
      return prepared;
    } catch (error) {
      dispose(made);
      throw error;
    } finally {
      dispose(temporary);
    }
  }

  /** An eager call waits beside the thread of JavaScript, for what it deferred. */
  async #enqueue(call: Call): Promise<void> {
    const settings = this.#settings.native;
    if (settings.validate !== 'eager') return native(() => run(this.#native, call));
    native(() => check(this.#native, call));
    const deferring = native(() => new binding.Criterion({ ...settings, validate: 'deferred' }));
    native(() => run(deferring, call));
    await cuda.synchronize(call.device);
  }

  #prepare(
    inputsLike: TensorLike,
    targetsLike: TensorLike,
    options: ValueAndGradOptions,
    wantsGrad: boolean,
  ): Prepared {
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
    const [temporary, made]: [Tensor[], Tensor[]] = [[], []];
    const operand = <V>(value: V | Tensor, name: string): V | Operand => {
      if (!isTensor(value)) return value;
      if (value.device === device) return operandOf(value, name);
      const there = value.to(device); // what was given as plain arrays
      temporary.push(there);
      return operandOf(there, name);
    };
    const make = <D extends FloatDtype>(shape: readonly number[], dtype: D): Tensor<D> => {
      const output = empty(shape, dtype, device);
      made.push(output);
      return register(output);
    };
    try {
      const loss = given.loss ?? make(lossShape, lossDtype);
      const grad = wantsGrad ? (given.grad ?? make(inputs.shape, inputs.dtype)) : undefined;
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
      return { call, loss, grad, made, temporary };
    } catch (error) {
      dispose(made);
      dispose(temporary);
      throw error;
    }
  }

  #lossShape(shape: readonly number[], rowShape: readonly number[]): readonly number[] {
    const { reduction, sides } = this.#settings.native;
    if (reduction === 'mean' || reduction === 'sum') return [];
    return reduction === 'none' && sides === 'targets' ? rowShape : shape;
  }
}

function dispose(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}
