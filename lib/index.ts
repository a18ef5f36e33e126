/**
 * The losses, and the tensors and devices that they work on.
 *
 * @module culoss
 */

export {
  type DtypeOf,
  type ShapedData,
  type TensorLike,
  type TensorOptions,
  tensor,
} from './convert';
export { cpu, type Isa } from './cpu';
export { type CudaDevice, type CudaMemory, cuda, type UnavailableReason } from './cuda';
export type { Device, DeviceLike } from './device';
export type { DataOf, Dtype, FloatDtype } from './dtype';
export { CulossError, type ErrorCode } from './errors';
export type { ForeignOptions, IpcOptions } from './foreign';
export type { Graph } from './graph';
export type { AsyncOptions } from './losses/background';
export { BinaryCrossEntropy } from './losses/binary-cross-entropy';
export { BinaryFocalLoss } from './losses/binary-focal-loss';
export { CategoricalFocalLoss } from './losses/categorical-focal-loss';
export type {
  Criterion,
  ForwardOptions,
  ValueAndGrad,
  ValueAndGradOptions,
} from './losses/criterion';
export { NegativeLogLoss } from './losses/negative-log-loss';
export type { BinaryOptions, FocalOptions, LossOptions } from './losses/options';
export type { AbortSignalLike } from './losses/signal';
export type { NestedArray } from './nested';
export { keep, scope } from './scope';
export { Stream } from './stream';
export {
  type Alpha,
  type ClassShares,
  type Share,
  type Sweep,
  type SweepOptions,
  sweep,
} from './sweep';
export { Tensor } from './tensor';
