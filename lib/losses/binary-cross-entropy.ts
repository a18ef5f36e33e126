import { Criterion } from './criterion';
import type { BinaryOptions } from './options';

/**
 * The binary cross-entropy, `Σ alpha_c · y · −log p + (1 − alpha_c) · (1 − y) · −log(1 − p)`, over the
 * number of elements N·C; without alpha both factors are 1.
 *
 * Every class is a question of its own: inputs are probabilities `[N, C]` after a sigmoid, or logits
 * with `from: 'logits'`. Logarithms of an exact 0 count as −100, as in PyTorch's `BCELoss`.
 *
 * Source: Bishop, Pattern Recognition and Machine Learning, 2006, eq. 4.90.
 *
 * @example
 * ```js
 * import { BinaryCrossEntropy } from 'culoss';
 * const criterion = new BinaryCrossEntropy({ from: 'logits' });
 * const { loss, grad } = criterion.valueAndGrad([[0, 0]], [[1, 0]]);
 * console.log(loss.item().toFixed(4)); // 0.6931
 * console.log(grad.arraySync()); // [ [ -0.25, 0.25 ] ]
 * ```
 */
export class BinaryCrossEntropy extends Criterion {
  constructor(options: BinaryOptions = {}) {
    super({ term: 'cross-entropy', sides: 'both', normalizer: 'elements' }, options);
  }
}
