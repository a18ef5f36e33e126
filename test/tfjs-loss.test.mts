// `culoss/tfjs`: the losses inside models and optimizers of TensorFlow.js, against the same losses made of
// its own operations, on its cpu and wasm backends.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { expect } from 'chai';
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  NegativeLogLoss,
} from 'culoss';
import { asTfjsLoss } from 'culoss/tfjs';
import { onCuda } from './devices.mjs';
import { expectClose, expectError } from './expect.mjs';

tf.enableProdMode(); // no advice on its other backends
await tf.setBackend('cpu');

type Loss = (yTrue: tf.Tensor, yPred: tf.Tensor) => tf.Tensor;

/** Focal losses of operations of TensorFlow.js, one for each sample. */
const ofOps = {
  binary:
    ({ gamma = 2, alpha }: { gamma?: number; alpha: number }): Loss =>
    (y, x) => {
      const p = x.sigmoid();
      const q = tf.sub(1, p);
      const own = y.mul(alpha).mul(q.pow(gamma)).mul(x.neg().softplus());
      const other = tf
        .sub(1, y)
        .mul(1 - alpha)
        .mul(p.pow(gamma))
        .mul(x.softplus());
      return own.add(other).mean(-1);
    },
  categorical:
    ({ gamma = 2 }: { gamma?: number }): Loss =>
    (y, x) => {
      const logP = x.logSoftmax();
      return y.mul(tf.sub(1, logP.exp()).pow(gamma)).mul(logP).sum(-1).neg();
    },
};

const samples = 96;
const features = tf.randomNormal([samples, 5], 0, 1, 'float32', 3).arraySync() as number[][];
const classOf = (row: readonly number[]): number =>
  Math.min(2, Math.floor(Math.abs((row[0] as number) + (row[1] as number))));
const ids = features.map(classOf);
const oneHot = ids.map((id) => [0, 1, 2].map((c) => Number(c === id)));
const labels = ids.map((id) => [Number(id === 0)]);

/** A model of which every weight is the same in every run. */
function modelOf(units: number): tf.Sequential {
  const dense = (seed: number) => ({ kernelInitializer: tf.initializers.glorotUniform({ seed }) });
  return tf.sequential({
    layers: [
      tf.layers.dense({ ...dense(1), inputShape: [5], units: 8, activation: 'tanh' }),
      tf.layers.dense({ ...dense(2), units }),
    ],
  });
}

/** The weights of a model after some epochs with a loss, and what `fit` and `evaluate` say of it. */
async function trained(
  loss: Loss,
  targets: tf.Tensor2D,
  classWeight?: Record<number, number>,
): Promise<{ weights: number[]; history: number[]; evaluated: number }> {
  const x = tf.tensor2d(features);
  const model = modelOf(targets.shape[1]);
  model.compile({ optimizer: tf.train.sgd(0.5), loss });
  const fit = { epochs: 5, batchSize: 32, shuffle: false, verbose: 0 } as const;
  const { history } = await model.fit(x, targets, classWeight ? { ...fit, classWeight } : fit);
  const evaluated = (model.evaluate(x, targets, { batchSize: 40 }) as tf.Scalar).dataSync()[0];
  const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  return { weights, history: history.loss as number[], evaluated: evaluated as number };
}

async function expectSameTraining(
  ours: Loss,
  theirs: Loss,
  targets: tf.Tensor2D,
  weight?: Record<number, number>,
) {
  const [a, b] = [await trained(ours, targets, weight), await trained(theirs, targets, weight)];
  expectClose(a.weights, b.weights, { relative: 2e-5, absolute: 2e-6 });
  expectClose(a.history, b.history, { relative: 2e-5 });
  expectClose([a.evaluated], [b.evaluated], { relative: 2e-5 });
  const start = modelOf(targets.shape[1])
    .getWeights()
    .flatMap((each) => [...each.dataSync()]);
  const moved = a.weights.some((value, i) => Math.abs(value - (start[i] as number)) > 0.05);
  expect(moved, 'training moved the weights').to.equal(true);
}

for (const backend of ['cpu', 'wasm']) {
  describe(`culoss/tfjs ${backend}`, () => {
    before(async () => {
      await tf.setBackend(backend);
      await tf.ready();
    });

    const binary = new BinaryFocalLoss({ from: 'logits', alpha: 0.25 });
    const categorical = new CategoricalFocalLoss({ from: 'logits', gamma: 1.5 });

    it('fit and evaluate give the weights and losses of operations, binary', async () => {
      const theirs = ofOps.binary({ alpha: 0.25 });
      await expectSameTraining(asTfjsLoss(tf, binary), theirs, tf.tensor2d(labels));
      await expectSameTraining(asTfjsLoss(tf, binary), theirs, tf.tensor2d(oneHot));
    });

    it('fit and evaluate give the weights and losses of operations, categorical', async () => {
      const theirs = ofOps.categorical({ gamma: 1.5 });
      await expectSameTraining(asTfjsLoss(tf, categorical), theirs, tf.tensor2d(oneHot));
    });

    it('classWeight weighs each sample by its class', async () => {
      const weight = { 0: 0.2, 1: 3, 2: 1 };
      const theirs = ofOps.categorical({ gamma: 1.5 });
      await expectSameTraining(asTfjsLoss(tf, categorical), theirs, tf.tensor2d(oneHot), weight);
    });

    it('optimizer.minimize takes class ids, of any shape and dtype', () => {
      const loss = asTfjsLoss(tf, categorical);
      const x = tf.tensor2d(features);
      const weightsAfter = (y: tf.Tensor, of: Loss): number[] =>
        tf.tidy(() => {
          const w = tf.variable(tf.ones([5, 3]).mul(0.1));
          const optimizer = tf.train.sgd(0.3);
          for (let i = 0; i < 3; i++) {
            optimizer.minimize(() => of(y, x.matMul(w as tf.Tensor2D)).mean() as tf.Scalar, false, [
              w,
            ]);
          }
          const values = [...w.dataSync()];
          w.dispose();
          return values;
        });
      const wanted = weightsAfter(tf.tensor2d(oneHot), ofOps.categorical({ gamma: 1.5 }));
      for (const y of [
        tf.tensor1d(ids, 'int32'),
        tf.tensor1d(ids, 'float32'),
        tf.tensor2d(
          ids.map((id) => [id]),
          undefined,
          'int32',
        ),
        tf.tensor2d(oneHot, undefined, 'bool'),
        tf.tensor2d(oneHot, undefined, 'int32'),
      ]) {
        expectClose(weightsAfter(y, loss), wanted, { relative: 2e-5, absolute: 1e-6 });
      }
    });

    it('labels of one logit are dense, of any shape and dtype', () => {
      const loss = asTfjsLoss(tf, binary);
      const x = tf.tensor2d([[2], [-1], [0.5]]);
      const wanted = [
        ...ofOps
          .binary({ alpha: 0.25 })(tf.tensor2d([[1], [0], [1]]), x)
          .dataSync(),
      ];
      for (const y of [
        tf.tensor2d([[1], [0], [1]]),
        tf.tensor2d([[1], [0], [1]], undefined, 'int32'),
        tf.tensor2d([[1], [0], [1]], undefined, 'bool'),
        tf.tensor1d([1, 0, 1]),
        tf.tensor1d([1, 0, 1], 'int32'),
      ]) {
        expectClose([...loss(y, x).dataSync()], wanted, { relative: 1e-5 });
        expectClose([...loss(y, x.flatten()).dataSync()], wanted, { relative: 1e-5 });
      }
    });

    it('variableGrads and an upstream gradient that differs from sample to sample', () => {
      const weights = tf.tensor1d([0.5, -2, 0, 3]);
      const x = tf.tensor2d([
        [1, -2, 0.5],
        [0, 3, -1],
        [2, 2, 2],
        [-5, 5, 0],
      ]);
      const y = tf.tensor2d([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
      ]);
      for (const [criterion, theirs] of [
        [binary, ofOps.binary({ alpha: 0.25 })],
        [categorical, ofOps.categorical({ gamma: 1.5 })],
      ] as const) {
        const slopes = (loss: Loss): number[] => {
          const variable = tf.variable(x);
          const { grads } = tf.variableGrads(
            () => loss(y, variable).mul(weights).sum() as tf.Scalar,
            [variable],
          );
          return [...(Object.values(grads)[0] as tf.Tensor).dataSync()];
        };
        expectClose(slopes(asTfjsLoss(tf, criterion)), slopes(theirs), {
          relative: 2e-5,
          absolute: 1e-6,
        });
      }
    });

    it('classes are last, as in images, unless the criterion says otherwise', () => {
      const x = tf.randomNormal([2, 3, 4, 5], 0, 2, 'float32', 7);
      const pixels = tf.randomUniform([2, 3, 4], 0, 5, 'int32', 9);
      const y = tf.oneHot(pixels, 5);
      const theirs = ofOps.categorical({ gamma: 1.5 })(y.toFloat(), x).mean([1, 2]);
      const wanted = [...theirs.dataSync()];
      const last = asTfjsLoss(tf, categorical);
      const first = asTfjsLoss(
        tf,
        new CategoricalFocalLoss({ from: 'logits', gamma: 1.5, axis: 1 }),
      );
      const turned = x.transpose([0, 3, 1, 2]);
      const flat = pixels.flatten();
      for (const losses of [last(y, x), last(pixels, x), last(flat, x), first(pixels, turned)]) {
        expect(losses.shape).to.deep.equal([2]);
        expectClose([...losses.dataSync()], wanted, { relative: 2e-5 });
      }
      const slope = (loss: Loss, of: tf.Tensor) => tf.grad((z) => loss(pixels, z).sum())(of);
      expectClose(
        [...slope(first, turned).transpose([0, 2, 3, 1]).dataSync()],
        [...slope(last, x).dataSync()],
        { relative: 1e-6, absolute: 1e-9 },
      );
    });

    it('keeps no tensors, and writes in none', () => {
      const [y, x] = [tf.tensor2d(oneHot), tf.tensor2d(features).matMul(tf.ones([5, 3]))];
      const before = [...x.dataSync(), ...y.dataSync()];
      const loss = asTfjsLoss(tf, binary);
      const step = tf.valueAndGrad((z) => loss(y, z).mean() as tf.Scalar);
      const held = () => [tf.memory().numTensors, tf.memory().numDataBuffers];
      const first = held();
      for (let i = 0; i < 3; i++) {
        const { value, grad } = step(x);
        tf.dispose([value, grad, loss(y, x)]);
      }
      expect(held()).to.deep.equal(first);
      expect([...x.dataSync(), ...y.dataSync()]).to.deep.equal(before);
    });

    it('the gradient is computed only when it is asked for', () => {
      const base = Object.getPrototypeOf(BinaryFocalLoss.prototype) as Criterion;
      const { valueAndGrad } = base;
      let calls = 0;
      base.valueAndGrad = function (...args) {
        calls += 1;
        return valueAndGrad.apply(this, args);
      };
      try {
        const loss = asTfjsLoss(tf, binary);
        const [y, x] = [tf.tensor2d([[1, 0]]), tf.tensor2d([[0.5, 2]])];
        loss(y, x);
        expect(calls).to.equal(0);
        tf.grad((z) => loss(y, z).sum())(x);
        expect(calls).to.equal(1);
      } finally {
        base.valueAndGrad = valueAndGrad;
      }
    });

    it('of no samples there are no losses', () => {
      const loss = asTfjsLoss(tf, binary)(tf.zeros([0, 3]), tf.zeros([0, 3]));
      expect(loss.shape).to.deep.equal([0]);
    });
  });
}

describe('culoss/tfjs', () => {
  const losses: [string, Criterion][] = [
    ['NegativeLogLoss', new NegativeLogLoss()],
    ['BinaryCrossEntropy', new BinaryCrossEntropy()],
    ['BinaryFocalLoss', new BinaryFocalLoss()],
    ['CategoricalFocalLoss', new CategoricalFocalLoss()],
  ];
  for (const [name, criterion] of losses) {
    it(`${name}: the mean over samples is the mean of the loss`, async () => {
      await tf.setBackend('cpu');
      const p = [
        [0.7, 0.2, 0.1],
        [0.1, 0.6, 0.3],
      ];
      const y = [
        [1, 0, 0],
        [0, 0, 1],
      ];
      const mean = asTfjsLoss(tf, criterion)(tf.tensor2d(y), tf.tensor2d(p)).mean().dataSync()[0];
      expectClose([mean as number], [criterion.forward(p, y).item()], { relative: 1e-6 });
    });
  }

  it('clamps probabilities as Keras does, unless the criterion says otherwise', () => {
    const [y, x] = [tf.tensor2d([[1], [0]]), tf.tensor2d([[1e-5], [1]])];
    const losses = (criterion: Criterion) => [...asTfjsLoss(tf, criterion)(y, x).dataSync()];
    const wanted = [-Math.log(1e-5), -Math.log(2 ** -23)]; // 1 − 1e-7 in float32
    expectClose(losses(new BinaryCrossEntropy()), wanted, { relative: 1e-6 });
    const clamped = [-Math.log(0.01), -Math.log(0.1)];
    expectClose(losses(new BinaryCrossEntropy({ clamp: [0.01, 0.9] })), clamped, {
      relative: 1e-6,
    });
    expectClose(losses(new BinaryCrossEntropy({ clamp: null })).slice(1), [100], { relative: 0 });
  });

  it('takes large batches in parts, and names the place of a bad class id in the whole', () => {
    const [count, columns] = [3000, 200]; // three parts
    const ids = Int32Array.from({ length: count }, (_, i) => (i * 7) % columns);
    const numbers = Float32Array.from({ length: count * columns }, (_, i) => Math.sin(i));
    const x = tf.tensor2d(numbers, [count, columns]);
    for (const [Loss, length] of [
      [BinaryFocalLoss, columns],
      [CategoricalFocalLoss, 1],
    ] as const) {
      const loss = asTfjsLoss(tf, new Loss({ from: 'logits' }));
      const each = new Loss({ from: 'logits', reduction: 'none' }).forward(
        { data: numbers, shape: [count, columns] },
        ids,
      );
      const losses = each.dataSync() as Float32Array;
      const wanted = Array.from({ length: count }, (_, i) => {
        const own = losses.subarray(i * length, (i + 1) * length);
        return own.reduce((sum, value) => sum + value, 0) / length;
      });
      expectClose([...loss(tf.tensor1d(ids, 'int32'), x).dataSync()], wanted, { relative: 1e-5 });
      const bad = ids.map((id, i) => (i === 2999 ? columns : id));
      const call = () => loss(tf.tensor1d(bad, 'int32'), x);
      expectError(call, 'ERR_TARGET_RANGE', RangeError, /^targets\[2999\]: /);
    }
  });

  const almostOneHot = {
    'one-hot': [
      [0, 1, 0],
      [1, 0, 0],
    ],
    'two of a row': [
      [0, 1, 1],
      [1, 0, 0],
    ],
    'none of a row': [
      [0, 0, 0],
      [1, 0, 0],
    ],
    soft: [
      [0, 0.5, 0.5],
      [1, 0, 0],
    ],
    'more than one': [
      [0, 2, 0],
      [1, 0, 0],
    ],
    'less than none': [
      [1, -1, 1],
      [1, 0, 0],
    ],
    'no number': [
      [0, 1, Number.NaN],
      [1, 0, 0],
    ],
  };
  for (const [title, y] of Object.entries(almostOneHot)) {
    it(`takes targets for class ids where they are, and else as they are: ${title}`, () => {
      const x = [
        [0.5, -1, 2],
        [0, 1, -2],
      ];
      for (const [, criterion] of losses) {
        const Loss = criterion.constructor as typeof NegativeLogLoss;
        const loss = asTfjsLoss(tf, new Loss({ from: 'logits' }));
        const normalizer = /^Binary/.test(Loss.name) ? 'elements' : 'rows';
        const own = new Loss({ from: 'logits', normalizer }).valueAndGrad(x, y);
        const { value, grad } = tf.valueAndGrad((z) => loss(tf.tensor2d(y), z).mean() as tf.Scalar)(
          tf.tensor2d(x),
        );
        expectClose([...value.dataSync()], [own.loss.item()], { relative: 1e-6 });
        expectClose([...grad.dataSync()], [...own.grad.dataSync()], {
          relative: 1e-6,
          absolute: 1e-9,
        });
      }
    });
  }

  it('labels that lie along another axis than the batch are refused', () => {
    const loss = asTfjsLoss(tf, new BinaryCrossEntropy({ from: 'logits' }));
    const x = tf.fill([4, 1], 2);
    const call = () => loss(tf.zeros([1, 4]), x);
    expectError(
      call,
      'ERR_SHAPE',
      RangeError,
      'targets: expected 4 samples, as the predictions have, got [1, 4]',
    );
    expectClose([...loss(tf.scalar(0), tf.tensor1d([2])).dataSync()], [Math.log1p(Math.exp(2))], {
      relative: 1e-6,
    });
    expectError(
      () => loss(tf.scalar(0), tf.scalar(2)),
      'ERR_SHAPE',
      RangeError,
      /^yPred: expected a shape/,
    );
  });

  it('any upstream gradient does: infinite, none, or 0 beside what is no number', () => {
    const loss = asTfjsLoss(tf, new BinaryCrossEntropy({ from: 'logits' }));
    const x = tf.tensor2d([[1], [Number.NaN]]);
    const slope = (...dy: number[]) => [
      ...tf
        .grad((z) =>
          loss(tf.tensor2d([[0], [1]]), z)
            .mul(tf.tensor1d(dy))
            .sum(),
        )(x)
        .dataSync(),
    ];
    expect(slope(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)[0]).to.equal(
      Number.POSITIVE_INFINITY,
    );
    expect(slope(0, 0)).to.deep.equal([0, 0]);
    expect(slope(0, 1)).to.deep.equal([0, Number.NaN]);
    expect(slope(1, 1)[1]).to.deep.equal(Number.NaN);
  });

  it('oneHot: false refuses dense targets, whatever they hold', () => {
    const loss = asTfjsLoss(tf, new NegativeLogLoss({ oneHot: false }));
    for (const y of [
      [
        [0, 1],
        [1, 0],
      ],
      [
        [0, 1],
        [1, 0.5],
      ],
    ]) {
      const call = () =>
        loss(
          tf.tensor2d(y),
          tf.tensor2d([
            [0.5, 0.5],
            [0.5, 0.5],
          ]),
        );
      expectError(call, 'ERR_SHAPE', RangeError, /^targets: expected 2 class ids, got/);
    }
  });

  it('tensors that another backend has move', async () => {
    const wanted = new BinaryFocalLoss({ from: 'logits' }).forward([[2, -1]], [[1, 0]]).item();
    await tf.setBackend('cpu');
    const [y, x] = [tf.tensor2d([[1, 0]]), tf.tensor2d([[2, -1]])];
    await tf.setBackend('wasm');
    try {
      const loss = asTfjsLoss(tf, new BinaryFocalLoss({ from: 'logits' }));
      expectClose([...loss(y, x).dataSync()], [wanted], { relative: 1e-6 });
      // A heap that grows while a tensor moves in: the first look at it fails.
      let looks = 0;
      const backend = {
        typedArrayFromHeap(tensor: tf.Tensor) {
          looks += 1;
          if (looks === 1) throw new TypeError('detached');
          return tensor.dataSync();
        },
      };
      const grown = asTfjsLoss(
        { ...tf, backend: () => backend } as unknown as typeof tf,
        new BinaryFocalLoss({ from: 'logits' }),
      );
      expectClose([...grown(y, x).dataSync()], [wanted], { relative: 1e-6 });
      expect(looks).to.be.greaterThan(2);
    } finally {
      await tf.setBackend('cpu');
    }
  });

  it('has the name of its loss, for a metric', () => {
    expect(asTfjsLoss(tf, new BinaryFocalLoss()).name).to.equal('binaryFocalLoss');
  });

  it('what is ignored counts as 0 in the mean of its sample', () => {
    const criterion = new NegativeLogLoss({ ignoreIndex: 255, axis: -1 });
    const loss = asTfjsLoss(tf, criterion)(
      tf.tensor2d([[0, 255]], undefined, 'int32'),
      tf.tensor3d([
        [
          [0.5, 0.5],
          [0.1, 0.9],
        ],
      ]),
    );
    expectClose([...loss.dataSync()], [Math.LN2 / 2], { relative: 1e-6 });
  });

  it('errors of arguments are those of the losses', () => {
    const loss = asTfjsLoss(tf, new NegativeLogLoss());
    const p = tf.tensor2d([[0.5, 0.5]]);
    expectError(
      () => loss(tf.tensor1d([2], 'int32'), p),
      'ERR_TARGET_RANGE',
      RangeError,
      'targets[0]: expected a class id in [0, 2), got 2',
    );
    expectError(
      () => loss(tf.tensor1d([0, 1, 0]), p),
      'ERR_SHAPE',
      RangeError,
      /^targets: expected 1 class ids, or dense/,
    );
    expectError(
      () => loss(tf.tensor1d(['a']), p),
      'ERR_DTYPE',
      TypeError,
      'yTrue: expected float32, int32, bool, got string',
    );
    expectError(
      () => loss(p, p.toInt()),
      'ERR_DTYPE',
      TypeError,
      'yPred: expected float32, got int32',
    );
  });

  it('refuses what is no tensor, and targets of another batch', () => {
    const loss = asTfjsLoss(tf, new BinaryCrossEntropy());
    const p = tf.tensor3d([
      [
        [0.5, 0.5],
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    ]);
    for (const none of [null, undefined, [[1, 0]], {}]) {
      expectError(
        () => loss(none as never, p),
        'ERR_DTYPE',
        TypeError,
        /^yTrue: expected a tensor of Ten/,
      );
      expectError(
        () => loss(p, none as never),
        'ERR_DTYPE',
        TypeError,
        /^yPred: expected a tensor of Ten/,
      );
    }
    expectError(() => loss(p.reshape([3, 1, 2]), p), 'ERR_SHAPE', RangeError, /^targets: expected/);
  });

  it('refuses a criterion that reduces, and what is none', () => {
    const refuse = (
      make: () => unknown,
      message: RegExp,
      as: typeof RangeError | typeof TypeError,
    ) => expectError(make, 'ERR_OPTION', as, message);
    for (const options of [
      { reduction: 'mean' },
      { normalizer: 'rows' },
      { onEmpty: 'zero' },
    ] as const) {
      const [name] = Object.keys(options);
      const criterion = new NegativeLogLoss(options);
      refuse(
        () => asTfjsLoss(tf, criterion),
        new RegExp(`^options.${name}: expected no value`),
        RangeError,
      );
    }
    refuse(
      () => asTfjsLoss(tf, new NegativeLogLoss({ axis: 0 }))(tf.zeros([2]), tf.zeros([2, 3])),
      /^options.axis: /,
      RangeError,
    );
    refuse(() => asTfjsLoss(tf, {} as never), /^criterion: expected one of the losses/, TypeError);
    refuse(
      () => asTfjsLoss({} as never, new NegativeLogLoss()),
      /^tf: expected TensorFlow.js/,
      TypeError,
    );
    refuse(() => asTfjsLoss(undefined as never, new NegativeLogLoss()), /^tf: expected/, TypeError);
    refuse(
      () => asTfjsLoss(tf, new NegativeLogLoss(), { gpu: true } as never),
      /^options: expected only device/,
      RangeError,
    );
  });

  onCuda('computes on a device, with the same losses cuda:0', () => {
    const criterion = new BinaryFocalLoss({ from: 'logits', alpha: [0.25, 0.5] });
    const [y, x] = [
      tf.tensor2d([
        [1, 0],
        [0, 1],
      ]),
      tf.tensor2d([
        [2, -1],
        [3, 0],
      ]),
    ];
    const [there, here] = [
      asTfjsLoss(tf, criterion, { device: 'cuda:0' }),
      asTfjsLoss(tf, criterion),
    ];
    expectClose([...there(y, x).dataSync()], [...here(y, x).dataSync()], { relative: 1e-5 });
    const slope = (loss: Loss) => [
      ...tf
        .grad((z) => loss(y, z).sum())(x)
        .dataSync(),
    ];
    expectClose(slope(there), slope(here), { relative: 1e-5, absolute: 1e-7 });
  });
});
