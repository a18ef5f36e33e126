// Random calls for the property tests.
import fc from 'fast-check';
import { isBinary, isFocal, type Spec } from './reference.mjs';
import type { Trial } from './trial.mjs';

const optional = <V,>(value: fc.Arbitrary<V>): fc.Arbitrary<V | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
const number = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

type Layout = Required<Pick<Trial, 'rowShape' | 'axis' | 'columns'>>;

const small: Layout[] = [
  { rowShape: [4], axis: 1, columns: 3 },
  { rowShape: [4], axis: 0, columns: 3 },
  { rowShape: [2, 3], axis: 1, columns: 3 },
  { rowShape: [2, 2], axis: -1, columns: 3 },
  { rowShape: [1, 2, 2], axis: 2, columns: 3 },
];
/** More columns, and more rows of elements that lie apart, than a block of the CUDA engine takes. */
const large: Layout[] = [
  { rowShape: [3], axis: 1, columns: 300 },
  { rowShape: [1, 600], axis: 1, columns: 3 },
];

/** A call of a loss with any options that go together. */
export function anyTrial(
  loss: Spec['loss'],
  from: 'probabilities' | 'logits',
  size: 'small' | 'any' = 'any',
): fc.Arbitrary<Trial> {
  const binary = isBinary(loss);
  // Repeated over the classes, one of them 0 now and then.
  const perClass = (max: number): fc.Arbitrary<number[]> =>
    fc.array(fc.oneof({ arbitrary: number(0.05, max), weight: 5 }, fc.constant(0)), {
      minLength: 3,
      maxLength: 3,
    });
  const one = <V,>(...values: V[]): fc.Arbitrary<V> => fc.constantFrom(...values);
  return fc
    .record({
      loss: fc.constant(loss),
      from: fc.constant(from),
      targets: one('ids', 'dense'),
      layout: size === 'small' ? one(...small) : one(...small, ...large),
      reduction: one('mean', 'sum', 'none', 'matrix'),
      normalizer: optional(
        one<NonNullable<Spec['normalizer']>>('targets', 'elements', 'rows', 'positives', 2.5, 0),
      ),
      normalizerTensor: fc.boolean(),
      onEmpty: optional(one('nan', 'zero')),
      alpha: optional(fc.oneof(number(0, 1), perClass(0.95))),
      weight: optional(perClass(2)),
      posWeight: optional(fc.oneof(number(0.1, 4), perClass(4))),
      gamma: optional(one(0, 0.5, 1, 2, 3.7)),
      negatives: optional(one('complement', 'zero-targets')),
      labelSmoothing: optional(number(0.01, 0.6)),
      ignoreIndex: optional(one(-100, 1000, -1, 1)),
      clamp: optional(one(null, [0.001, 1], [0.01, 0.99])),
      sampleWeight: optional(one<'rows' | 'elements'>('rows', binary ? 'elements' : 'rows')),
      gradOutput: optional(one('number', 'tensor')),
      seed: fc.integer({ min: 1, max: 1e6 }),
    })
    .map(
      ({ layout, gamma, negatives, posWeight, clamp, normalizer, normalizerTensor, ...rest }) => {
        const spread = (values: number | number[] | undefined): number | number[] | undefined =>
          typeof values === 'object'
            ? Array.from({ length: layout.columns }, (_, c) => values[c % 3] as number)
            : values;
        // An id in range can be ignored, but not a value of dense targets.
        const { ignoreIndex } = rest;
        const divides = rest.reduction === 'mean' || rest.reduction === 'matrix';
        const all = {
          ...rest,
          ...layout,
          ignoreIndex: ignoreIndex === 1 && rest.targets === 'dense' ? undefined : ignoreIndex,
          alpha: spread(rest.alpha),
          weight: spread(rest.weight),
          gamma: isFocal(loss) ? gamma : undefined,
          negatives: binary ? negatives : undefined,
          posWeight: binary ? spread(posWeight) : undefined,
          clamp: from === 'probabilities' ? clamp : undefined,
          normalizer: divides ? normalizer : undefined,
          onEmpty: divides ? rest.onEmpty : undefined,
          normalizerTensor: divides && typeof normalizer === 'number' && normalizerTensor,
        };
        const given = Object.entries(all).filter(([, value]) => value !== undefined);
        return Object.fromEntries(given) as unknown as Trial;
      },
    );
}
