import { asTensor, type TensorLike } from '../convert';
import type { Device } from '../device';
import { type Dtype, type FloatDtype, isFloat } from '../dtype';
import { Description, errorOf, fail, failType } from '../errors';
import { sameShape } from '../shape';
import { isTensor, operandOf, type Tensor } from '../tensor';

/** Floating-point numbers of shape [N, C]. */
export function readInputs(like: TensorLike): Tensor<FloatDtype> {
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

/** Class ids or dense targets. */
export function readTargets(like: TensorLike, device: Device): Tensor {
  return besideInputs(like, 'targets', device);
}

/** Numbers become float64 where the inputs are; a tensor must be there. */
function besideInputs(like: TensorLike, argument: string, device: Device): Tensor {
  const read = asTensor(like, argument, { device, dtypeOfNumbers: 'float64' });
  checkDevice(read, argument, device);
  return read;
}

/** The upstream gradient. */
export function readGradOutput(
  value: number | TensorLike | undefined,
  lossShape: readonly number[],
  device: Device,
): number | Tensor | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) fail('ERR_OPTION', 'gradOutput', 'a finite number', value);
    return value;
  }
  if (typeof value !== 'object') failType('gradOutput', 'a number or a tensor', value);
  const read = besideInputs(value, 'gradOutput', device);
  if (!isFloat(read.dtype)) fail('ERR_DTYPE', 'gradOutput', 'a floating-point dtype', read.dtype);
  checkFits(read, 'gradOutput', lossShape);
  return read;
}

/** An output of the caller's: memory that is written in place, never a copy of it. */
export function readOutput<D extends Dtype>(
  value: TensorLike | undefined,
  argument: string,
  shape: readonly number[],
  dtype: D,
  device: Device,
): Tensor<D> | undefined {
  if (value === undefined) return undefined;
  const output = asTensor(value, argument, { device: 'cpu', dtypeOfNumbers: dtype });
  if (!isTensor(value) && !aliases(output, value)) {
    fail('ERR_DTYPE', argument, `a tensor or a typed array of ${dtype} to write in`, value);
  }
  checkDevice(output, argument, device);
  if (output.dtype !== dtype) fail('ERR_DTYPE', argument, dtype, new Description(output.dtype));
  checkFits(output, argument, shape);
  return output as Tensor<D>;
}

/** Whether a tensor was made over the memory of what it was made of. */
function aliases(tensor: Tensor, value: TensorLike): boolean {
  const data = ArrayBuffer.isView(value) ? value : (value as { data?: unknown }).data;
  const { memory } = operandOf(tensor, 'tensor');
  return ArrayBuffer.isView(data) && ArrayBuffer.isView(memory) && data.buffer === memory.buffer;
}

function checkDevice(tensor: Tensor, argument: string, device: Device): void {
  operandOf(tensor, argument);
  if (tensor.device === device) return;
  throw errorOf(
    'ERR_DEVICE',
    `${argument}: expected the device of the inputs, ${device}, got ${tensor.device}`,
  );
}

function hasFloats(tensor: Tensor): tensor is Tensor<FloatDtype> {
  return isFloat(tensor.dtype);
}

/** One number may have any shape of one element. */
function checkFits(tensor: Tensor, argument: string, shape: readonly number[]): void {
  const fits = shape.length === 0 ? tensor.size === 1 : sameShape(tensor.shape, shape);
  if (!fits) fail('ERR_SHAPE', argument, `the shape [${shape.join(', ')}]`, tensor.shape);
}

/** Whether targets are dense, by the option or by their shape. */
export function readsAsDense(
  inputs: Tensor,
  targets: Tensor,
  oneHot: boolean | undefined,
): boolean {
  const [rows, columns] = inputs.shape;
  const isDense = sameShape(inputs.shape, targets.shape);
  const isIds = targets.size === rows;
  const dense = `dense targets of the shape [${inputs.shape.join(', ')}]`;
  const ids = `${rows} class ids`;
  const refuse = (expected: string): never => fail('ERR_SHAPE', 'targets', expected, targets.shape);
  if (oneHot === true) return isDense || refuse(dense);
  if (oneHot === false) return isIds ? false : refuse(ids);
  if (isDense && columns === 1 && !isFloat(targets.dtype)) {
    refuse('the option oneHot, because integers of this shape could be class ids or dense');
  }
  return isDense || (isIds ? false : refuse(`${ids}, or ${dense}`));
}
