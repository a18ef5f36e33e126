// Value and gradient of hard targets at every logit in ±100 and every γ in [0, 5], against decimal
// arithmetic of 60 digits. The worst error is shown in the summary.
import { expect } from 'chai';
import { type Device, tensor } from 'culoss';
import { criterionOf, lossNames, randomNumbers } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { type Exact, exactElement, exactRow, relativeError } from './exact.mjs';
import { expectClose } from './expect.mjs';
import { isBinary, isFocal, type Spec } from './reference.mjs';

/** Relative errors that are allowed, beside an absolute one for what underflows. */
const budgets = {
  float32: { relative: 2e-5, absolute: 1e-36 },
  float64: { relative: 1e-11, absolute: 1e-300 },
} as const;

const columns = 4;
const gammas = [0, 0.05, 0.5, 1, 1.3, 2, 3.7, 5];
const specs: Spec[] = lossNames.flatMap((loss) =>
  (['logits', 'probabilities'] as const).flatMap((from) =>
    (isFocal(loss) ? gammas : [undefined]).map((gamma) => ({
      loss,
      from,
      ...(gamma === undefined ? {} : { gamma }),
      ...(from === 'probabilities' ? { clamp: null } : {}),
    })),
  ),
);

/** Values that float32 holds, dense where the functions change and at the ends. */
function inputsOf({ from }: Spec): number[][] {
  const random = randomNumbers(7);
  const spread = (): number => (random() * 2 - 1) * 100;
  const near = (): number => (random() * 2 - 1) * 4;
  const logit = (): number => (random() < 0.6 ? spread() : near());
  const probability = (): number => {
    const small = 10 ** (-30 * random());
    return random() < 0.5 ? small : 1 - Math.max(2 ** -24, small);
  };
  const draw = from === 'logits' ? logit : probability;
  const corners =
    from === 'logits'
      ? [
          [100, -100, -100, -100],
          [-100, 100, 100, 100],
          [100, 100, 100, 100],
          [17, 16.6, -88, -87.3],
          [0, 90, 0, -90],
        ]
      : [[1, 1e-30, 2 ** -24, 1 - 2 ** -24]];
  const drawn = Array.from({ length: 32 }, () => Array.from({ length: columns }, draw));
  return [...corners, ...drawn].map((row) => row.map(Math.fround));
}

/** What a spec gives for its inputs, computed once for all dtypes and devices. */
const exactly = new Map<Spec, Exact[]>();
function exactOf(spec: Spec, inputs: number[][], ids: number[]): Exact[] {
  const known = exactly.get(spec);
  if (known) return known;
  const found = inputs.flatMap((row, n) =>
    isBinary(spec.loss)
      ? row.map((x, c) => exactElement(spec, x, c === ids[n]))
      : [exactRow(spec, row, ids[n] as number)],
  );
  exactly.set(spec, found);
  return found;
}

interface Worst {
  error: number;
  where: string;
  what: string;
}

function worstOf(spec: Spec, dtype: keyof typeof budgets, device: Device): Worst {
  // 0 with a target of 1 is the floor of another test, and infinite for the categorical losses.
  const inputs = inputsOf(spec);
  const ids = inputs.map((_, n) => n % columns);
  const { loss, grad } = criterionOf(spec, { reduction: 'none' }).valueAndGrad(
    tensor(inputs, undefined, { dtype, device }),
    tensor(new Int32Array(ids), [ids.length], { device }),
  );
  const losses = numbers(loss);
  const slopes = numbers(grad);
  const { absolute } = budgets[dtype];
  const each = isBinary(spec.loss) ? 1 : columns;
  let worst: Worst = { error: 0, where: 'nowhere', what: '' };
  exactOf(spec, inputs, ids).forEach((exact, i) => {
    const at = (each === 1 ? [inputs.flat()[i] as number] : (inputs[i] as number[])).join(', ');
    const consider = (kind: string, got: number, want: Exact['value']): void => {
      const error = relativeError(got, want, absolute);
      if (error <= worst.error) return;
      const gamma = spec.gamma === undefined ? '' : `, gamma ${spec.gamma}`;
      worst = {
        error,
        where: `${kind}, ${spec.from}${gamma}`,
        what: `at [${at}]: got ${got}, exactly ${want.toExponential(15)}`,
      };
    };
    consider('value', losses[i] as number, exact.value);
    exact.grad.forEach((want, c) => {
      consider(`gradient ${c}`, slopes[i * each + c] as number, want);
    });
  });
  return worst;
}

describe('tails', () => {
  onDevices('tails BinaryCrossEntropy float32 keeps its last digits at p ≥ ½', (device) => {
    const p = Float32Array.from({ length: 4097 }, (_, i) => 0.5 + i / 8192);
    const criterion = criterionOf({ loss: 'BinaryCrossEntropy' }, { reduction: 'none' });
    const losses = criterion.forward(
      tensor(p, [p.length, 1], { device }),
      tensor(new Float32Array(p.length).fill(1), [p.length, 1], { device }),
    );
    const exact = Array.from(p, (x) => -Math.log(x));
    expectClose(numbers(losses), exact, { relative: 3e-7, absolute: 1e-12 });
  });

  for (const dtype of ['float32', 'float64'] as const) {
    for (const loss of lossNames) {
      onDevices(`${loss} tails ${dtype} against 60 digits`, (device) => {
        const found = specs
          .filter((spec) => spec.loss === loss)
          .map((spec) => worstOf(spec, dtype, device));
        const worst = found.reduce((a, b) => (b.error > a.error ? b : a));
        const { relative } = budgets[dtype];
        expect(worst.error, `${worst.where} ${worst.what}`).to.be.at.most(relative);
        const figure = `${worst.error.toExponential(1)} of ${relative.toExponential(0)}`;
        return `worst tail error ${figure}: ${loss}, ${dtype}, ${device}, ${worst.where}`;
      });
    }
  }
});
