// The same classes for `import` as for `require`.

export type * from './index.js';
export {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  CulossError,
  cpu,
  cuda,
  NegativeLogLoss,
  Stream,
  Tensor,
  tensor,
} from './index.js';
