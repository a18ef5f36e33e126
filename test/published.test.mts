// What other projects publish, by the options that stand for their conventions.
import { tensor } from 'culoss';
import { losses } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import { published } from './published.cases.mjs';

describe('published', () => {
  for (const {
    source,
    loss,
    options,
    inputs,
    targets,
    sampleWeight,
    value,
    grad,
    ...rest
  } of published) {
    onDevices(`${loss} published ${source}`, (device) => {
      const place = { dtype: 'float64', device } as const;
      const result = new losses[loss](options).valueAndGrad(
        tensor(inputs, undefined, place),
        tensor(targets, undefined, place),
        sampleWeight ? { sampleWeight: tensor(sampleWeight, undefined, place) } : {},
      );
      const { within = 0, relative = 0 } = rest;
      expectClose(numbers(result.loss), value, { relative, absolute: within });
      if (grad) expectClose(numbers(result.grad), grad, { relative, absolute: within });
    });
  }
});
