import { isTypedArray } from 'node:util/types';
import { asTensor, type TensorLike } from '../convert';
import type { Device } from '../device';
import { type Dtype, type FloatDtype, holdsInteger, isFloat, lengthOf } from '../dtype';
import { Description, errorOf, fail, failType } from '../errors';
import { sameShape, sizeOf } from '../shape';
import { isTensor, operandOf, type Tensor } from '../tensor';
import { type Axes, isPerRow } from './axes';

/** Floating-point numbers. */
export function readInputs(like: TensorLike): Tensor<FloatDtype> {
  const inputs = asTensor(like, 'inputs', 'float32');
  operandOf(inputs, 'inputs');
  if (!hasFloats(inputs)) {
    return fail('ERR_DTYPE', 'inputs', 'float32, float64, float16 or bfloat16', inputs.dtype);
  }
  return inputs;
}

/** Class ids or dense targets. */
export function readTargets(like: TensorLike, device: Device): Tensor {
  return besideInputs(like, 'targets', device);
}

/** A tensor must be where the inputs are; numbers become float64, and go there with the call. */
function besideInputs(like: TensorLike, argument: string, device: Device): Tensor {
  const read = asTensor(like, argument, 'float64');
  if (isTensor(like)) checkDevice(read, argument, device);
  return read;
}

/** A weight per row or, for the binary losses, per element, of any dtype: a mask is one, too. */
export function readSampleWeight(
  like: TensorLike | undefined,
  { shape, device }: Tensor,
  axes: Axes,
  sides: 'targets' | 'both',
): Tensor | undefined {
  if (like === undefined) return undefined;
  const weight = besideInputs(like, 'sampleWeight', device);
  const allowed = [axes.rowShape, axes.rowShapeOfOneClass];
  if (sides === 'both') allowed.push(shape);
  if (!allowed.some((lengths) => sameShape(weight.shape, lengths))) {
    const perRow = `one weight per row, the shape [${axes.rowShape.join(', ')}]`;
    const perElement = sides === 'both' ? `, or one per element, [${shape.join(', ')}]` : '';
    fail('ERR_SHAPE', 'sampleWeight', perRow + perElement, weight.shape);
  }
  return weight;
}

/** The upstream gradient. */
export function readGradOutput(
  value: number | TensorLike | undefined,
  lossShape: readonly number[],
  device: Device,
): number | Tensor | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') {
    if (!Number.isFinite(Math.fround(value))) {
      fail('ERR_OPTION', 'gradOutput', 'a number within ±3.4e38', value);
    }
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
  // A plain typed array has the shape of what is written in it.
  const isWhole = isTypedArray(value) && lengthOf(value) === sizeOf(shape);
  const output = asTensor(isWhole ? { data: value, shape, dtype } : value, argument, dtype);
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
  axes: Axes,
): boolean {
  const isDense = sameShape(inputs.shape, targets.shape);
  const isIds = isPerRow(targets.shape, axes);
  const refuse = (expected: string): never => fail('ERR_SHAPE', 'targets', expected, targets.shape);
  if (oneHot === undefined && isDense && axes.columns === 1 && !isFloat(targets.dtype)) {
    refuse('the option oneHot, because integers of this shape could be class ids or dense');
  }
  if (oneHot !== false && isDense) return true;
  if (oneHot !== true && isIds) return false;
  const { rows, rowShape } = axes;
  const dense = `dense targets of the shape [${inputs.shape.join(', ')}]`;
  const ids =
    rowShape.length === 1 ? `${rows} class ids` : `class ids of the shape [${rowShape.join(', ')}]`;
  return refuse(oneHot === undefined ? `${ids}, or ${dense}` : oneHot ? dense : ids);
}

/**
 * Dense targets have no class id to ignore. What stands for one must not be mistaken for it: the
 * binary losses ignore the elements that hold it, the categorical ones the rows of it or of zeros.
 */
export function checkIgnoreIndex(
  ignoreIndex: number | undefined,
  targets: Tensor,
  { columns, isDense, sides }: { columns: number; isDense: boolean; sides: 'targets' | 'both' },
): void {
  if (ignoreIndex === undefined) return;
  // Rounded, it would be another number, and ignore others or none.
  if (isFloat(targets.dtype) && !holdsInteger(targets.dtype, ignoreIndex)) {
    const expected = `an integer that targets of ${targets.dtype} can hold`;
    fail('ERR_OPTION', 'options.ignoreIndex', expected, ignoreIndex);
  }
  if (!isDense) return;
  const isTaken = ignoreIndex >= 0 && ignoreIndex < (sides === 'both' ? 2 : columns);
  const expected =
    sides === 'both'
      ? 'an integer other than 0 and 1 with dense targets, where it marks the elements to ignore'
      : `an integer outside [0, ${columns}) with dense targets, where a row of zeros is ignored`;
  if (isTaken) fail('ERR_OPTION', 'options.ignoreIndex', expected, ignoreIndex);
}
