// Random calls for ever, each held against the same call in the plain form.
import { parentPort, workerData } from 'node:worker_threads';
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  type FloatDtype,
  NegativeLogLoss,
  scope,
  type Tensor,
  tensor,
} from 'culoss';

let state = workerData as number;
/** A number in [0, 1): a linear congruential generator, of Numerical Recipes. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const below = (n: number): number => Math.floor(random() * n);
const oneOf = <V,>(...values: readonly V[]): V => values[below(values.length)] as V;

interface Made {
  criterion: Criterion;
  inputs: Tensor<FloatDtype>;
  targets: Tensor;
}

function make(): Made {
  const Loss = oneOf(NegativeLogLoss, BinaryCrossEntropy, BinaryFocalLoss, CategoricalFocalLoss);
  const from = oneOf('logits', 'probabilities');
  const reduction = oneOf('mean', 'sum', 'none', 'matrix');
  const columns = oneOf(1, 2, 10, 63, 64, 257, 1000);
  const rows = 1 + below(Math.ceil(2 ** (4 + below(14)) / columns));
  const isApart = random() < 0.3;
  const shape = isApart ? [1, columns, rows] : [rows, columns];
  const data = Float32Array.from({ length: rows * columns }, random);
  const dtype = oneOf<FloatDtype>('float32', 'float64', 'bfloat16');
  const inputs = dtype === 'float32' ? tensor(data, shape) : tensor([...data], shape, { dtype });
  const ids = Int32Array.from({ length: rows }, () => below(columns));
  const rowShape = isApart ? [1, rows] : [rows];
  return {
    criterion: new Loss({ from, reduction }),
    inputs: inputs as Tensor<FloatDtype>,
    targets: random() < 0.5 ? tensor(ids, rowShape) : tensor(data.map(Math.round), shape),
  };
}

/** Throws unless two results have the same bits. */
function expectSame(got: Tensor, expected: Tensor): void {
  const [a, b] = [got.dataSync(), expected.dataSync()];
  for (let i = 0; i < expected.size; i++) {
    if (!Object.is(a[i], b[i])) throw new Error(`[${i}]: expected ${b[i]}, got ${a[i]}`);
  }
}

async function step(): Promise<void> {
  const { criterion, inputs, targets } = make();
  const expected = criterion.valueAndGrad(inputs, targets);
  const copy = random() < 0.2;
  const calls = Array.from({ length: 1 + below(4) }, () =>
    criterion.valueAndGradAsync(inputs, targets, { copy }),
  );
  const controller = new AbortController();
  const stopped = criterion
    .valueAndGradAsync(inputs, targets, { signal: controller.signal })
    .catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  if (random() < 0.5) controller.abort();
  criterion.forward(inputs, targets);
  for (const call of calls) {
    const { loss, grad } = await call;
    expectSame(loss, expected.loss);
    expectSame(grad, expected.grad);
  }
  await stopped;
}

for (let steps = 0; ; ) {
  await (random() < 0.5 ? scope(step) : step());
  if (++steps % 10 === 0) parentPort?.postMessage(10);
}
