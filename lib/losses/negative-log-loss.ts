import { Criterion } from './criterion';
import type { LossOptions } from './options';

/**
 * The negative log loss, `Σ alpha_c · y_c · −log p_c`, over the sum of the targets.
 *
 * Inputs are probabilities `[N, C]`, or logits with `from: 'logits'`, which makes this the softmax
 * cross-entropy. Note that PyTorch's `nll_loss` takes log-probabilities.
 *
 * Source: Bishop, Pattern Recognition and Machine Learning, 2006, eq. 4.108.
 *
 * @example
 * ```js
 * import { NegativeLogLoss } from 'culoss';
 * const criterion = new NegativeLogLoss();
 * const { loss, grad } = criterion.valueAndGrad([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [0, 1]);
 * console.log(loss.item().toFixed(4)); // 0.4581
 * console.log(grad.arraySync()); // [ [ -1, 0, 0 ], [ 0, -0.625, 0 ] ]
 * ```
 */
export class NegativeLogLoss extends Criterion {
  constructor(options: LossOptions = {}) {
    super({ term: 'cross-entropy', sides: 'targets', normalizer: 'targets' }, options);
  }
}
