import { Criterion } from './criterion';
import type { BinaryOptions, FocalOptions } from './options';

/**
 * The binary focal loss,
 * `Σ alpha_c · y · −(1 − p)^γ log p + (1 − alpha_c) · (1 − y) · −p^γ log(1 − p)`, over the number of
 * elements N·C; without alpha both factors are 1.
 *
 * Like {@link BinaryCrossEntropy}, but what the model already gets right counts less, the more so
 * the larger `gamma`. `gamma: 0` is the binary cross-entropy, bit for bit.
 *
 * Source: Lin et al., Focal Loss for Dense Object Detection, 2017, eq. 5.
 *
 * @example
 * ```js
 * import { BinaryFocalLoss } from 'culoss';
 * const criterion = new BinaryFocalLoss({ gamma: 2, alpha: 0.25 });
 * const { loss, grad } = criterion.valueAndGrad([[0.5, 0.25]], [[1, 0]]);
 * console.log(loss.item().toFixed(4)); // 0.0284
 * console.log([...grad.dataSync()].map((g) => g.toFixed(4))); // [ '-0.1491', '0.0852' ]
 * ```
 */
export class BinaryFocalLoss extends Criterion {
  constructor(options: BinaryOptions & FocalOptions = {}) {
    super({ term: 'focal', sides: 'both', normalizer: 'elements' }, options);
  }
}
