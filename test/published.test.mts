// What other projects publish, by the options that stand for their conventions.
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
});
