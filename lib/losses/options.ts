import type { TensorLike } from '../convert';

/** The options of every loss. */
export interface LossOptions {
  /**
   * What the inputs are. `'logits'`: a sigmoid for the binary losses, a softmax over the classes for
   * the categorical ones, fused and exact in the tails. Default: `'probabilities'`.
   */
  from?: 'probabilities' | 'logits';
  /**
   * `true`: dense targets of the inputs' shape, `false`: class ids. Default: the inputs' shape means
   * dense, any other shape with one element per row means ids.
   */
  oneHot?: boolean;
  /**
   * Bounds that probabilities are clamped to; the gradient is 0 beyond them. `null`: no clamp.
   * Default: `[0.001, 1]`. Not for logits.
   */
  clamp?: readonly [low: number, high: number] | null;
  /**
   * `'mean'`: the sum over the normaliser; `'sum'`; `'none'`: one loss per target, of the inputs'
   * shape for the binary losses and of that shape without the class axis for the categorical ones;
   * `'matrix'`: one per element, each divided by the normaliser. Default: `'mean'`.
   */
  reduction?: 'mean' | 'sum' | 'none' | 'matrix';
  /**
   * What `mean` and `matrix` divide by. `'targets'`: the sum of `weight_c · y` before smoothing;
   * `'elements'`, `'rows'`: the number of those; `'positives'`: the number of targets above 0, at
   * least 1. What is ignored counts in none of them. A number, or a tensor of one element, which is
   * read where it is, without a wait; sample weights never count. Default: `'elements'` for the
   * binary losses, `'targets'` for the categorical ones. Not for `'sum'` and `'none'`.
   */
  normalizer?: 'targets' | 'elements' | 'rows' | 'positives' | number | TensorLike;
  /** The value of a mean over nothing. Default: `'nan'`. */
  onEmpty?: 'nan' | 'zero';
  /**
   * The weight of the target's term, a number or one per class; the binary losses weigh the terms of
   * the other classes by `1 - alpha`. Default: none, which is 1 for both.
   */
  alpha?: number | TensorLike;
  /**
   * One weight per class, `[C]`: multiplies all terms of its class, and its targets in the divisor
   * `'targets'`, as in PyTorch. Default: none, which is 1.
   */
  weight?: TensorLike;
  /**
   * Ignores rows with this class id, an integer of any sign, in range or not. With dense targets the
   * binary losses ignore the elements that hold it, and the categorical ones the rows that hold
   * nothing but it, or zeros, which one-hot makes of such an id. What is ignored has loss 0 and
   * gradient 0, whatever its inputs are. Default: none.
   */
  ignoreIndex?: number;
  /**
   * The share `e` in [0, 1) of each target that is spread evenly, over the C classes,
   * `y(1 − e) + e/C`, or in the binary losses over both sides: `y(1 − e) + e/2` for the class, and
   * likewise what `negatives` leaves against it. Default: 0.
   */
  labelSmoothing?: number;
  /** The class axis of the inputs, `[N, C, d1, …]`; -1 for channels-last. Default: 1. */
  axis?: number;
  /**
   * When a bad class id on a CUDA device throws: `'deferred'`, at the next read; `'eager'`, at once,
   * after a wait; `'off'`, never, and it counts nowhere, as what is ignored. On the CPU always at
   * once. Default: `'deferred'`.
   */
  validate?: 'deferred' | 'eager' | 'off';
}

/** The options of the binary losses. */
export interface BinaryOptions extends LossOptions {
  /**
   * The share of a target `y` that counts against its class: `'complement'`, `1 - y`, or
   * `'zero-targets'`, 1 where `y` is 0. They differ for soft targets. Default: `'complement'`.
   */
  negatives?: 'complement' | 'zero-targets';
  /** Multiplies the positive terms, a number or one per class. Default: none, which is 1. */
  posWeight?: number | TensorLike;
}

/** The options of the focal losses. */
export interface FocalOptions {
  /** The exponent of `1 - p`, at least 0. Default: 2. */
  gamma?: number;
}
