// Every option, the losses that have it, and calls that show it: what the option tests run over, and
// what the table of options in the README is made of.
import { tensor } from 'culoss';
import { floatDtypes, type LossName, losses, lossNames } from './cases.mjs';
import { isBinary, isFocal } from './reference.mjs';
import type { Trial } from './trial.mjs';

type Call = Omit<Trial, 'loss'>;

interface OptionRow {
  option: string;
  losses: readonly LossName[];
  /** Calls with the option. Each must give something else without it. */
  calls: (loss: LossName) => readonly Call[];
  /** Where the option is tested if the tests of this table cannot show it. */
  elsewhere?: string;
}

const binary = lossNames.filter(isBinary);
const perClass = [0.5, 2, 0.9, 0.3];
const ids = { targets: 'ids' } as const;
const dense = { targets: 'dense' } as const;
const both = (call: Call): Call[] => [
  { ...call, ...ids },
  { ...call, ...dense },
];

export const optionRows: readonly OptionRow[] = [
  { option: 'from', losses: lossNames, calls: () => both({ from: 'logits' }) },
  {
    option: 'oneHot',
    losses: lossNames,
    // Integers [N, 1] for inputs [N, 1]: refused without the option.
    calls: () => [
      { columns: 1, rowShape: [6], oneHot: false, integers: true },
      { columns: 1, oneHot: true, ...dense, integers: true },
    ],
  },
  {
    option: 'clamp',
    losses: lossNames,
    calls: () => [...both({ clamp: [0.3, 0.7] }), { clamp: null, ...dense }],
  },
  {
    option: 'reduction',
    losses: lossNames,
    calls: () =>
      (['sum', 'none', 'matrix'] as const).flatMap((reduction) =>
        both({ reduction, gradOutput: 'tensor' }),
      ),
  },
  {
    option: 'normalizer',
    losses: lossNames,
    calls: (loss) => [
      ...both({ normalizer: isBinary(loss) ? 'targets' : 'elements' }),
      { normalizer: 'rows', ...dense },
      { normalizer: 'positives', ...dense },
      { normalizer: 'rows', ...ids, ignoreIndex: -1, weight: perClass },
      { normalizer: 'positives', ...ids, reduction: 'matrix', from: 'logits', weight: perClass },
      { normalizer: 7.5 },
      { normalizer: 3.25, normalizerTensor: true, from: 'logits' },
    ],
  },
  {
    option: 'onEmpty',
    losses: lossNames,
    calls: () =>
      both({ onEmpty: 'zero', normalizer: 0 }).concat({
        onEmpty: 'zero',
        normalizer: 0,
        reduction: 'matrix',
      }),
  },
  {
    option: 'alpha',
    losses: lossNames,
    calls: () => [...both({ alpha: 0.25 }), ...both({ alpha: [0.1, 0.9, 0, 1], from: 'logits' })],
  },
  {
    option: 'gamma',
    losses: lossNames.filter(isFocal),
    calls: () => [
      ...both({ gamma: 0 }),
      ...both({ gamma: 0.5, from: 'logits' }),
      ...both({ gamma: 3.7 }),
    ],
  },
  {
    option: 'weight',
    losses: lossNames,
    calls: () => [
      ...both({ weight: perClass }),
      ...both({ weight: perClass, from: 'logits', normalizer: 'targets' }),
    ],
  },
  {
    option: 'posWeight',
    losses: binary,
    calls: () => [...both({ posWeight: 3 }), ...both({ posWeight: perClass, from: 'logits' })],
  },
  {
    option: 'ignoreIndex',
    losses: lossNames,
    calls: () => [
      { ignoreIndex: -100, ...ids },
      { ignoreIndex: 255, ...ids, from: 'logits' },
      { ignoreIndex: 2, ...ids, reduction: 'none' },
      { ignoreIndex: -1, ...dense, labelSmoothing: 0.1 },
      {
        ignoreIndex: 255,
        ...dense,
        from: 'logits',
        labelSmoothing: 0.1,
        reduction: 'matrix',
        normalizer: 'elements',
      },
    ],
  },
  {
    option: 'labelSmoothing',
    losses: lossNames,
    calls: () => [
      ...both({ labelSmoothing: 0.1 }),
      ...both({ labelSmoothing: 0.4, from: 'logits' }),
    ],
  },
  {
    option: 'negatives',
    losses: binary,
    calls: () => [
      { negatives: 'zero-targets', ...dense },
      { negatives: 'zero-targets', ...dense, from: 'logits' },
    ],
  },
  {
    option: 'axis',
    losses: lossNames,
    calls: () => [
      ...both({ axis: -1, rowShape: [2, 3], weight: perClass }),
      ...both({
        axis: 2,
        rowShape: [2, 3, 5],
        weight: perClass,
        from: 'logits',
        reduction: 'none',
        gradOutput: 'tensor',
      }),
      { axis: 0, rowShape: [6], columns: 4 },
    ],
  },
  { option: 'validate', losses: lossNames, calls: () => [], elsewhere: 'test/targets.test.mts' },
  {
    option: 'sampleWeight',
    losses: lossNames,
    calls: (loss) => [
      ...both({ sampleWeight: 'rows' }),
      ...(isBinary(loss) ? both({ sampleWeight: 'elements', from: 'logits' }) : []),
      { sampleWeight: 'rows', from: 'logits', rowShape: [2, 3], columns: 4, reduction: 'none' },
    ],
  },
  {
    option: 'gradOutput',
    losses: lossNames,
    calls: () => [
      ...both({ gradOutput: 'number' }),
      ...both({ gradOutput: 'tensor', reduction: 'none' }),
    ],
  },
  { option: 'out', losses: lossNames, calls: () => [], elsewhere: 'test/memory.test.mts' },
  { option: 'outGrad', losses: lossNames, calls: () => [], elsewhere: 'test/memory.test.mts' },
];

interface Refusal {
  /** As in the README. */
  what: string;
  why: string;
  code: string;
  calls: (() => unknown)[];
  message: RegExp;
}

const any = (value: unknown): never => value as never;
const p22 = [
  [0.5, 0.25],
  [0.5, 0.75],
];

/** What cannot be combined, and why. */
export const refusals: readonly Refusal[] = [
  {
    what: "`clamp` with `from: 'logits'`",
    why: 'logits are exact without a clamp',
    code: 'ERR_OPTION',
    calls: lossNames.map((name) => () => new losses[name]({ from: 'logits', clamp: [0, 1] })),
    message: /^options\.clamp: expected none with from: 'logits', which need no clamp/,
  },
  {
    what: "`normalizer` or `onEmpty` with `reduction: 'sum'` or `'none'`",
    why: 'these do not divide',
    code: 'ERR_OPTION',
    calls: lossNames.flatMap((name) =>
      (['sum', 'none'] as const).flatMap((reduction) => [
        () => new losses[name]({ reduction, normalizer: 'rows' }),
        () => new losses[name]({ reduction, onEmpty: 'zero' }),
      ]),
    ),
    message:
      /^options\.(normalizer|onEmpty): expected none with reduction: '(sum|none)', which does not divide/,
  },
  {
    what: '`ignoreIndex` 0 or 1 with dense targets, binary losses',
    why: 'there it marks the elements to ignore, and those are targets',
    code: 'ERR_OPTION',
    calls: lossNames
      .filter(isBinary)
      .flatMap((name) =>
        [0, 1].map((ignoreIndex) => () => new losses[name]({ ignoreIndex }).forward(p22, p22)),
      ),
    message: /^options\.ignoreIndex: expected an integer other than 0 and 1 with dense targets/,
  },
  {
    what: '`ignoreIndex` in [0, C) with dense targets, categorical losses',
    why: 'a row of zeros is what is ignored there; a row of soft targets has no class id',
    code: 'ERR_OPTION',
    calls: lossNames
      .filter((name) => !isBinary(name))
      .map((name) => () => new losses[name]({ ignoreIndex: 1 }).forward(p22, p22)),
    message:
      /^options\.ignoreIndex: expected an integer outside \[0, 2\) with dense targets, where a/,
  },
  {
    what: '`ignoreIndex` with floating-point targets that cannot hold it',
    why: 'they hold another number in its place',
    code: 'ERR_OPTION',
    calls: lossNames.map((name) => () => {
      const targets = tensor([0, 1], [2], { dtype: 'bfloat16' });
      new losses[name]({ ignoreIndex: 999 }).forward(p22, targets);
    }),
    message:
      /^options\.ignoreIndex: expected an integer that targets of bfloat16 can hold, got 999$/,
  },
  {
    what: '`sampleWeight` per element, categorical losses',
    why: 'their rows are one question each; `weight` has one value per class',
    code: 'ERR_SHAPE',
    calls: lossNames
      .filter((name) => !isBinary(name))
      .map((name) => () => new losses[name]().forward(p22, [0, 1], { sampleWeight: p22 })),
    message: /^sampleWeight: expected one weight per row, the shape \[2\], got \[2, 2\]$/,
  },
  {
    what: '`posWeight` or `negatives`, categorical losses',
    why: 'they have no negative side',
    code: 'ERR_OPTION',
    calls: lossNames
      .filter((name) => !isBinary(name))
      .flatMap((name) => [
        () => new losses[name](any({ posWeight: 2 })),
        () => new losses[name](any({ negatives: 'complement' })),
      ]),
    message:
      /^options\.(posWeight|negatives): expected none for a categorical loss, which has no negative side/,
  },
  {
    what: '`gamma`, log losses',
    why: 'they have no such factor',
    code: 'ERR_OPTION',
    calls: lossNames
      .filter((name) => !isFocal(name))
      .map((name) => () => new losses[name](any({ gamma: 2 }))),
    message: /^options\.gamma: expected none for a log loss, which has no such factor, got 2$/,
  },
];

const cells = (row: readonly string[]): string => `| ${row.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(cells).join('\n');

const short = { float32: 'f32', float64: 'f64', float16: 'f16', bfloat16: 'bf16' } as const;

/** The tables of the README that are made of these, as Markdown. */
export const tables = {
  options: table(
    ['option', ...lossNames.map((name) => `\`${name}\``)],
    optionRows.map(({ option, losses: having, elsewhere }) => [
      elsewhere ? `\`${option}\` (in ${elsewhere})` : `\`${option}\``,
      ...lossNames.map((name) =>
        having.includes(name) ? floatDtypes.map((dtype) => short[dtype]).join(' ') : '–',
      ),
    ]),
  ),
  refusals: table(
    ['what', 'why not', 'code'],
    refusals.map(({ what, why, code }) => [what, why, `\`${code}\``]),
  ),
};
