import { Criterion } from './criterion';
import type { FocalOptions, LossOptions } from './options';

/**
 * The categorical focal loss, `Σ alpha_c · y_c · −(1 − p_c)^γ log p_c`, over the sum of the targets.
 *
 * Inputs are probabilities `[N, C]` after a softmax, or logits with `from: 'logits'`.
 * `reduction: 'matrix'` gives the elementwise matrix. `gamma: 0` is the {@link NegativeLogLoss}, bit
 * for bit.
 *
 * Source: Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 5, for a softmax.
 *
 * @example
 * ```js
 * import { CategoricalFocalLoss } from 'culoss';
 * const criterion = new CategoricalFocalLoss({ gamma: 2, from: 'logits' });
 * const { loss, grad } = criterion.valueAndGrad([[2, -1, 0.5]], [0]);
 * console.log(loss.item().toFixed(4)); // 0.0111
 * console.log(grad.shape); // [ 1, 3 ]
 * ```
 */
export class CategoricalFocalLoss extends Criterion {
  constructor(options: LossOptions & FocalOptions = {}) {
    super({ term: 'focal', sides: 'targets', normalizer: 'targets' }, options);
  }
}
