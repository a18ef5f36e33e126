import type { Operand } from '../../binding';
import { asTensor, type TensorLike } from '../convert';
import { checkDevice, type Device, type DeviceLike, deviceIndex } from '../device';
import { type Dtype, type FloatDtype, isFloat } from '../dtype';
import { Description, errorOf, fail, failType, native } from '../errors';
import { binding } from '../native';
import { empty, operandOf, Tensor } from '../tensor';
import { type LossKind, type LossOptions, readOptions, type Settings } from './options';
import { checkNoOverlap } from './overlap';
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
  readonly #alpha: Placed | undefined;

  protected constructor(kind: LossKind, options: LossOptions) {
    this.#settings = readOptions(kind, options);
    this.#native = native(() => new binding.Criterion(this.#settings.native));
    const { alpha } = this.#settings;
    if (alpha instanceof Tensor) this.#alpha = new Placed(alpha);
  }

  /** Alpha where it is now: it follows the inputs to their device once and stays there. */
  get alpha(): number | Tensor | undefined {
    return this.#alpha?.current ?? (this.#settings.alpha as number | undefined);
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
    this.#alpha?.on(target);
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
    checkCallOptions(options, ['out']);
    return this.#run(inputs, targets, options, false).loss;
  }

  /**
   * The loss as `forward` returns it, and its gradient with respect to the inputs, multiplied by
   * `gradOutput`: of the inputs' shape, dtype and device. One fused pass.
   */
  valueAndGrad(
    inputs: TensorLike,
    targets: TensorLike,
    options: ValueAndGradOptions = {},
  ): ValueAndGrad {
    checkCallOptions(options, ['out', 'gradOutput', 'outGrad']);
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
    const targets = besideInputs(targetsLike, 'targets', device);
    const oneHot = this.#isOneHot(inputs, targets);
    const alpha = this.#alphaFor(columns, device);
    const lossShape = this.#lossShape(rows, columns);
    const gradOutput = readGradOutput(options.gradOutput, lossShape, device);
    const lossDtype = inputs.dtype === 'float64' ? 'float64' : 'float32';
    const given = {
      loss: readOutput(options.out, 'out', lossShape, lossDtype, device),
      grad: readOutput(options.outGrad, 'outGrad', inputs.shape, inputs.dtype, device),
    };
    checkNoOverlap(
      { out: given.loss, outGrad: given.grad },
      { inputs, targets, alpha, gradOutput },
    );

    const loss = given.loss ?? empty(lossShape, lossDtype, device);
    const grad = wantsGrad ? (given.grad ?? empty(inputs.shape, inputs.dtype, device)) : undefined;
    const operand = <V>(value: V | Tensor, name: string): V | Operand =>
      value instanceof Tensor ? operandOf(value, name) : value;
    const call = {
      device: deviceIndex(device),
      rows,
      columns,
      inputs: operandOf(inputs, 'inputs'),
      targets: operandOf(targets, 'targets'),
      oneHot,
      alpha: operand(alpha, 'options.alpha'),
      gradOutput: operand(gradOutput, 'gradOutput'),
      loss: operandOf(loss, 'out'),
      grad: operand(grad, 'outGrad') as Operand | undefined,
    };
    native(() => this.#native.run(call));
    return { loss, grad };
  }

  #isOneHot(inputs: Tensor, targets: Tensor): boolean {
    const [rows] = inputs.shape as [number, number];
    const sameShape = sameLengths(inputs.shape, targets.shape);
    const onePerRow = targets.size === rows;
    const shapes = `[${inputs.shape.join(', ')}]`;
    const fails = (expected: string): never =>
      fail('ERR_SHAPE', 'targets', expected, targets.shape);
    switch (this.#settings.oneHot) {
      case true:
        return sameShape || fails(`dense targets of the inputs' shape ${shapes}`);
      case false:
        return !(onePerRow || fails(`${rows} class ids, one per row`));
      default:
        if (sameShape && onePerRow && !isFloat(targets.dtype)) {
          fails(
            `the option oneHot, because integers ${shapes} could be class ids or dense targets`,
          );
        }
        return (
          sameShape ||
          !(onePerRow || fails(`${rows} class ids, or dense targets of the shape ${shapes}`))
        );
    }
  }

  #alphaFor(columns: number, device: Device): number | Tensor | undefined {
    if (this.#alpha === undefined) return this.#settings.alpha as number | undefined;
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

function checkCallOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) failType('options', 'an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) fail('ERR_OPTION', 'options', `only ${names.join(', ')}`, name);
    if (value === null) failType(name, 'a value or undefined', value);
  }
}

function readInputs(like: TensorLike): Tensor<FloatDtype> {
  const inputs = asTensor(like, 'inputs', { device: 'cpu', dtypeOfNumbers: 'float32' });
  operandOf(inputs, 'inputs');
  if (!hasFloats(inputs)) {
    return fail('ERR_DTYPE', 'inputs', 'float32, float64, float16 or bfloat16', inputs.dtype);
  }
  if (inputs.shape.length !== 2 || inputs.shape[1] === 0) {
    fail('ERR_SHAPE', 'inputs', 'a shape [N, C] with C of at least 1', inputs.shape);
  }
  return inputs;
}

/** Numbers become float64 where the inputs are; a tensor must be there. */
function besideInputs(like: TensorLike, argument: string, device: Device): Tensor {
  const read = asTensor(like, argument, { device, dtypeOfNumbers: 'float64' });
  operandOf(read, argument);
  if (read.device !== device) {
    throw errorOf(
      'ERR_DEVICE',
      `${argument}: expected the device of the inputs, ${device}, got ${read.device}`,
    );
  }
  return read;
}

function readGradOutput(
  value: number | TensorLike | undefined,
  lossShape: readonly number[],
  device: Device,
): number | Tensor | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail('ERR_OPTION', 'gradOutput', 'a finite number', value);
    return value;
  }
  const read = besideInputs(value, 'gradOutput', device);
  if (!isFloat(read.dtype)) fail('ERR_DTYPE', 'gradOutput', 'a floating-point dtype', read.dtype);
  checkShapeOfLoss(read, 'gradOutput', lossShape);
  return read;
}

/** An output of the caller's: memory that is written in place. */
function readOutput<D extends Dtype>(
  value: TensorLike | undefined,
  argument: string,
  shape: readonly number[],
  dtype: D,
  device: Device,
): Tensor<D> | undefined {
  if (value === undefined) return undefined;
  const data = (value as { data?: unknown }).data;
  if (!(value instanceof Tensor || ArrayBuffer.isView(value) || ArrayBuffer.isView(data))) {
    fail('ERR_DTYPE', argument, 'a tensor or a typed array, which can be written', value);
  }
  const output = besideInputs(value, argument, device);
  if (output.dtype !== dtype) fail('ERR_DTYPE', argument, dtype, new Description(output.dtype));
  checkShapeOfLoss(output, argument, shape);
  return output as Tensor<D>;
}

function hasFloats(tensor: Tensor): tensor is Tensor<FloatDtype> {
  return isFloat(tensor.dtype);
}

/** One number may have any shape of one element. */
function checkShapeOfLoss(tensor: Tensor, argument: string, shape: readonly number[]): void {
  const fits = shape.length === 0 ? tensor.size === 1 : sameLengths(tensor.shape, shape);
  if (!fits) fail('ERR_SHAPE', argument, `the shape [${shape.join(', ')}]`, tensor.shape);
}

function sameLengths(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
