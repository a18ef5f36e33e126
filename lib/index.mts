// The same classes for `import` as for `require`.

export type * from './index.js';
export {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  CulossError,
  cpu,
  cuda,
  keep,
  NegativeLogLoss,
  Stream,
  scope,
  sweep,
  Tensor,
  tensor,
} from './index.js';
