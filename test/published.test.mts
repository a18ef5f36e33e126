// What other projects publish, by the options that stand for their conventions.
import { expect } from 'chai';
import { tensor } from 'culoss';
import { losses } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import { published } from './published.cases.mjs';

/** Float32 rounds the inputs, and takes for 0 what is below its range. */
const tolerances = {
  float64: { relative: 0, absolute: 0 },
  float32: { relative: 2e-5, absolute: 1e-36 },
} as const;

describe('published', () => {
  for (const row of published) {
    const { source, loss, options, inputs, targets, sampleWeight, value, grad } = row;
    for (const dtype of ['float64', 'float32'] as const) {
      if (row.dtype !== undefined && row.dtype !== dtype) continue;
      onDevices(`${loss} published ${dtype} ${source}`, (device) => {
        const place = { dtype: 'float64', device } as const;
        const result = new losses[loss](options).valueAndGrad(
          tensor(inputs, undefined, { dtype, device }),
          tensor(targets, undefined, place),
          sampleWeight ? { sampleWeight: tensor(sampleWeight, undefined, place) } : {},
        );
        const relative = Math.max(row.relative ?? 0, tolerances[dtype].relative);
        const absolute = Math.max(row.within ?? 0, tolerances[dtype].absolute);
        expectClose(numbers(result.loss), value, { relative, absolute });
        if (grad) expectClose(numbers(result.grad), grad, { relative, absolute });
      });
    }
  }

  // optax has no figures for its focal loss, but what must hold of it.
  onDevices('BinaryFocalLoss published optax properties of the focal loss', (device) => {
    const place = { dtype: 'float64', device } as const;
    const x = tensor(
      [
        [2, 0.1, -2],
        [0.3, -0.1, 1.2],
      ],
      undefined,
      place,
    );
    const y = tensor(
      [
        [0, 0, 1],
        [1, 0, 0],
      ],
      undefined,
      place,
    );
    const bce = { from: 'logits', reduction: 'none' } as const;
    const each = (options: object): number[] =>
      numbers(new losses.BinaryFocalLoss({ ...bce, ...options }).forward(x, y));
    const log = numbers(new losses.BinaryCrossEntropy(bce).forward(x, y));
    expectClose(each({ gamma: 0 }), log, { relative: 0 });
    // −log p_t is the log loss, so that 1 − p_t is −expm1(−loss).
    const ratio = each({ gamma: 2 }).map((focal, i) => focal / (log[i] as number));
    expectClose(
      ratio,
      log.map((loss) => Math.expm1(-loss) ** 2),
      { relative: 1e-12 },
    );
    const isPositive = numbers(y).map((target) => target === 1);
    expect(each({ alpha: 0 }).map((loss) => loss === 0)).to.deep.equal(isPositive);
    expect(each({ alpha: 1 }).map((loss) => loss !== 0)).to.deep.equal(isPositive);
  });
});
