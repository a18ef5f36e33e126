// A sweep is the losses themselves, for a whole grid, and what each class contributes adds up to them.
import { expect } from 'chai';
import {
  BinaryFocalLoss,
  CategoricalFocalLoss,
  cpu,
  type SweepOptions,
  sweep,
  tensor,
} from 'culoss';
import { randomNumbers } from './cases.mjs';
import { onCuda } from './devices.mjs';
import { expectClose, expectError } from './expect.mjs';

const random = randomNumbers(5);
const [n, columns, inner] = [37, 5, 3];
const gammas = [0, 0.5, 1, 2, 3.7];
const draw = (size: number, of: () => number): Float32Array =>
  Float32Array.from({ length: size }, of);
const size = n * columns * inner;
const logits = draw(size, () => random() * 12 - 6);
const probabilities = draw(size, random);
const dense = draw(size, () => Number(random() < 0.3));
const soft = draw(size, random);
const ids = Int32Array.from({ length: n * inner }, () => Math.floor(random() * columns));
const masked = ids.map((id, i) => (i % 4 === 0 ? -1 : id));
const rowWeights = draw(n * inner, () => random() * 2);
const perClass = [0.1, 0.9, 0.5, 0, 1];

interface Case {
  title: string;
  targets: Float32Array | Int32Array;
  options: SweepOptions;
  sampleWeight?: Float32Array;
}

/** The same numbers with the elements of a row apart, and beside one another. */
const layouts = [
  { shape: [n, columns, inner], axis: 1 },
  { shape: [n, inner, columns], axis: -1 },
];
const binary = { loss: 'binary-focal' } as const;
const categorical = { loss: 'categorical-focal' } as const;
const cases: Case[] = [
  { title: 'binary, class ids', targets: ids, options: binary },
  {
    title: 'binary, class ids, weighed',
    targets: masked,
    options: { ...binary, from: 'logits', ignoreIndex: -1, weight: [1, 2, 3, 0, 5], posWeight: 3 },
    sampleWeight: rowWeights,
  },
  { title: 'binary, soft', targets: soft, options: { ...binary, from: 'logits' } },
  {
    title: 'binary with all options',
    targets: masked,
    options: {
      ...binary,
      ...{ ignoreIndex: -1, weight: [1, 2, 3, 4, 5], posWeight: 3, labelSmoothing: 0.1 },
      ...{ normalizer: 'positives', negatives: 'zero-targets', clamp: [0.01, 0.9] },
    },
    sampleWeight: rowWeights,
  },
  {
    title: 'categorical, class ids',
    targets: ids,
    options: { ...categorical, from: 'logits' },
  },
  {
    title: 'categorical, dense',
    targets: dense,
    options: { ...categorical, from: 'logits' },
  },
  {
    title: 'categorical with all options',
    targets: masked,
    options: {
      ...categorical,
      ...{ ignoreIndex: -1, weight: [1, 2, 3, 4, 5], labelSmoothing: 0.1, normalizer: 'rows' },
    },
    sampleWeight: rowWeights,
  },
  { title: 'categorical, of probabilities', targets: soft, options: categorical },
];

describe('sweep', () => {
  for (const { title, targets: numbersOfTargets, options: given, sampleWeight } of cases) {
    for (const { shape, axis } of layouts) {
      for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
        it(`is the mean of every loss of its grid: ${title}, axis ${axis} ${dtype}`, () => {
          const numbers = given.from === 'logits' ? logits : probabilities;
          const inputs = tensor(Array.from(numbers), shape, { dtype });
          const rows = [n, inner];
          const targets = tensor(numbersOfTargets, numbersOfTargets.length === size ? shape : rows);
          const weights = sampleWeight ? { sampleWeight: tensor(sampleWeight, rows) } : {};
          const alphas = [null, 0.25, perClass];
          const { loss: name, ...options } = { ...given, axis };
          const found = sweep(inputs, targets, { ...given, axis, ...weights, gammas, alphas });
          const Loss = name === 'binary-focal' ? BinaryFocalLoss : CategoricalFocalLoss;
          const wanted = gammas.map((gamma) =>
            alphas.map((alpha) => {
              const weighed = alpha === null ? {} : { alpha };
              const criterion = new Loss({ ...options, gamma, ...weighed });
              return criterion.forward(inputs, targets, weights).item();
            }),
          );
          const relative = dtype === 'float64' ? 1e-12 : dtype === 'bfloat16' ? 3e-6 : 1e-6;
          expectClose(found.loss.flat(), wanted.flat(), { relative });
          expect(found.loss.map((row) => row.length)).to.deep.equal(gammas.map(() => 3));
        });
      }
    }
  }

  it('counts and weighs the targets of each class, and those against it', () => {
    const options = { ...binary, gammas: [1], weight: [1, 10], posWeight: 3 };
    const p = [
      [0.5, 0.25],
      [0.9, 0.5],
      [0.5, 0.5],
    ];
    const { classes, divisor } = sweep(p, [0, 0, 1], { ...options, normalizer: 'rows' });
    expect(divisor).to.equal(3);
    const [first, second] = classes;
    expect(first?.positives).to.include({ count: 2, weight: 6 });
    expect(first?.negatives).to.include({ count: 1, weight: 1 });
    expect(second?.positives).to.include({ count: 1, weight: 30 });
    expect(second?.negatives).to.include({ count: 2, weight: 20 });
    const own = (3 * (0.5 * -Math.log(0.5) + (1 - 0.9) * -Math.log(0.9))) / 3;
    expectClose(first?.positives.loss ?? [], [own], { relative: 1e-6 });
    const against = (10 * (0.25 * -Math.log(0.75) + 0.5 * -Math.log(0.5))) / 3;
    expectClose(second?.negatives.loss ?? [], [against], { relative: 1e-6 });
  });

  it('nothing counts against a class of the categorical loss', () => {
    const { classes } = sweep([[2, -1]], [0], { ...categorical, from: 'logits' });
    for (const { negatives } of classes) {
      expect(negatives).to.deep.equal({ count: 0, weight: 0, loss: [0, 0, 0, 0, 0, 0] });
    }
    expect(classes.map(({ positives }) => positives.count)).to.deep.equal([1, 0]);
  });

  it('has the same bits for any number of threads', () => {
    const rows = 20000;
    const x = draw(rows * 7, () => random() * 8 - 4);
    const y = Int32Array.from({ length: rows }, () => Math.floor(random() * 7));
    const usual = cpu.threads;
    const runs = [1, 2, 5].map((threads) => {
      cpu.threads = threads;
      return [binary, categorical].map((one) =>
        sweep(tensor(x, [rows, 7]), tensor(y, [rows]), { ...one, from: 'logits' }),
      );
    });
    cpu.threads = usual;
    expect(runs[1]).to.deep.equal(runs[0]);
    expect(runs[2]).to.deep.equal(runs[0]);
  });

  it('a mean over nothing is what onEmpty says', () => {
    const nothing = { ...categorical, ignoreIndex: 1, gammas: [2] };
    expect(sweep([[0.5, 0.5]], [1], nothing).loss).to.deep.equal([[Number.NaN]]);
    expect(sweep([[0.5, 0.5]], [1], { ...nothing, onEmpty: 'zero' }).loss).to.deep.equal([[0]]);
  });

  it('what has no weight contributes nothing, whatever it is', () => {
    const x = [
      [Number.NEGATIVE_INFINITY, 0],
      [1, 2],
    ];
    const { loss } = sweep(x, [0, 1], { ...categorical, from: 'logits', alphas: [[0, 1], null] });
    expect(loss.map(([weighed]) => Number.isFinite(weighed))).to.deep.equal(Array(6).fill(true));
    expect(loss.map(([, plain]) => plain)).to.deep.equal(Array(6).fill(Number.POSITIVE_INFINITY));
  });

  for (const [options, code, as, message] of [
    [
      { gamma: 2 },
      'ERR_OPTION',
      RangeError,
      'options.gamma: expected no value: gammas are a list, got 2',
    ],
    [{ alpha: 1 }, 'ERR_OPTION', RangeError, /^options.alpha: expected no value/],
    [{ reduction: 'sum' }, 'ERR_OPTION', RangeError, /^options.reduction: expected no value/],
    [{ loss: 'focal' }, 'ERR_OPTION', RangeError, /^options.loss: expected one of 'binary-focal'/],
    [{ gammas: [] }, 'ERR_OPTION', TypeError, /^options.gammas: expected a list of at least one/],
    [{ gammas: 2 }, 'ERR_OPTION', TypeError, /^options.gammas: expected a list of at least one/],
    [
      { gammas: [1, -1] },
      'ERR_OPTION',
      RangeError,
      /^options.gammas\[1\]: expected a number from 0/,
    ],
    [
      { alphas: [2] },
      'ERR_OPTION',
      RangeError,
      'options.alphas[0]: expected a number in [0, 1], got 2',
    ],
    [
      { alphas: ['a'] },
      'ERR_OPTION',
      TypeError,
      /^options.alphas\[0\]: expected a number in \[0, 1\], one per class, or null/,
    ],
    [
      { alphas: [[1, 2]] },
      'ERR_OPTION',
      RangeError,
      'options.alphas[0][1]: expected a number in [0, 1], got 2',
    ],
    [
      { alphas: [[1, 0, 1]] },
      'ERR_SHAPE',
      RangeError,
      /^options.alphas\[0\]: expected a number, null or one value per class \(2\)/,
    ],
    [{ loss: 'categorical-focal', posWeight: 2 }, 'ERR_OPTION', RangeError, /^options.posWeight/],
    [
      { frob: 2 },
      'ERR_OPTION',
      RangeError,
      /^options: expected only loss, gammas, alphas, sampleWeight, from/,
    ],
    [null, 'ERR_OPTION', TypeError, /^options: expected an object/],
  ] as const) {
    it(`refuses ${JSON.stringify(options)}`, () => {
      expectError(() => sweep([[0.5, 0.5]], [1], options as never), code, as, message);
    });
  }

  it('takes what is undefined for absent', () => {
    const nothing = { gamma: undefined, alphas: undefined, posWeight: undefined };
    const found = sweep([[0.5, 0.5]], [1], { ...categorical, ...nothing } as never);
    expect(found.loss).to.have.length(6);
  });

  it('refuses a bad class id, and inputs of the wrong shape', () => {
    expectError(() => sweep([[0.5, 0.5]], [2]), 'ERR_TARGET_RANGE', RangeError, /^targets\[0\]/);
    expectError(() => sweep([0.5, 0.5], [2]), 'ERR_SHAPE', RangeError, /^inputs/);
  });

  onCuda('reads tensors of a device cuda:0', () => {
    const [x, y] = [tensor([[0.5, 0.25]]), tensor([[1, 0]])];
    expect(sweep(x.cuda(), y.cuda())).to.deep.equal(sweep(x, y));
  });
});
