import { mean, sampleStandardDeviation } from 'simple-statistics';
import type { Outcome, Result, Scores } from './experiment.mjs';
import type { Task } from './task.mjs';

/** Mean and standard deviation over the seeds; one seed has no deviation. */
export interface Spread {
  mean: number;
  deviation: number | undefined;
}

export function spreadOf(values: number[]): Spread {
  const deviation = values.length > 1 ? sampleStandardDeviation(values) : undefined;
  return { mean: mean(values), deviation };
}

export function show({ mean, deviation }: Spread, digits = 3): string {
  const centre = mean.toFixed(digits);
  return deviation === undefined ? centre : `${centre}\u00a0±\u00a0${deviation.toFixed(digits)}`;
}

interface Measure {
  name: string;
  of: (scores: Scores) => number;
}

/** What the losses are compared by, the most telling first. */
function measuresOf({ columns }: Task): Measure[] {
  const macro = columns === 1 ? '' : 'macro ';
  return [
    { name: `${macro}average precision`, of: ({ averagePrecision }) => averagePrecision },
    { name: `${macro}F1`, of: ({ f1 }) => f1 },
    { name: 'accuracy', of: ({ accuracy }) => accuracy },
  ];
}

export interface Table {
  head: string[];
  rows: string[][];
}

/** One row for each loss and one for the majority class. */
export function scoreTable({ task, results, majority }: Outcome): Table {
  const measures = measuresOf(task);
  const row = (name: string, scores: Scores[], digits: (spread: Spread) => string): string[] => [
    name,
    ...measures.map(({ of }) => digits(spreadOf(scores.map(of)))),
  ];
  return {
    head: ['loss', ...measures.map(({ name }) => name)],
    rows: [
      ...results.map(({ contender, runs }) => row(contender.name, runs, show)),
      row('majority class', majority, show),
    ],
  };
}

const recallsOf = (scores: Scores[], id: number): number[] =>
  scores.map(({ recalls }) => recalls[id] as number);

/** The recall of a class, for each loss. */
export function recallSpread({ runs }: Result, id: number): Spread {
  return spreadOf(recallsOf(runs, id));
}

/** One row for each class. */
export function recallTable({ task, results, majority }: Outcome): Table {
  return {
    head: ['recall of', 'trained on', ...results.map((r) => r.contender.name), 'majority'],
    rows: task.classes.map((name, id) => [
      name,
      `${task.trainCounts[id]}`,
      ...results.map((result) => show(recallSpread(result, id), 2)),
      spreadOf(recallsOf(majority, id)).mean.toFixed(2),
    ]),
  };
}

/** How far `a` is ahead of `b`, seed by seed. */
function lead(a: number[], b: number[]): Spread {
  return spreadOf(a.map((value, i) => value - (b[i] as number)));
}

/** Whether a difference exceeds its spread. */
const isClear = ({ mean, deviation = Number.POSITIVE_INFINITY }: Spread): boolean =>
  Math.abs(mean) > deviation;

export const ruleOfVerdicts =
  'A difference is taken seed by seed and called clear if its mean exceeds its standard deviation.';

function verdictOn({ name, of }: Measure, { results, majority }: Outcome): string {
  const scored = results.map(({ contender, runs }) => ({
    name: contender.name,
    values: runs.map(of),
  }));
  const ranked = scored.sort((a, b) => mean(b.values) - mean(a.values));
  const [best, ...others] = ranked as [(typeof ranked)[0], ...typeof ranked];
  const leads = others.map((other) => {
    const ahead = lead(best.values, other.values);
    return `of ${other.name} by ${show(ahead)} (${isClear(ahead) ? 'clear' : 'not clear'})`;
  });
  const floor = majority.map(of);
  const above = ranked.filter(({ values }) => {
    const ahead = lead(values, floor);
    return ahead.mean > 0 && isClear(ahead);
  });
  return (
    `${name}: ${best.name} is highest with ${show(spreadOf(best.values))}, ahead ` +
    `${leads.join(' and ')}. Clearly above the majority class: ` +
    `${above.map((entry) => entry.name).join(', ') || 'none'}.`
  );
}

/** In which classes a loss recalls clearly more, or less, than the first one. */
function verdictOnRecall({ task, results }: Outcome): string[] {
  const [first, ...others] = results as [Result, ...Result[]];
  return others.map(({ contender, runs }) => {
    const clear = task.classes
      .map((name, id) => ({ name, ahead: lead(recallsOf(runs, id), recallsOf(first.runs, id)) }))
      .filter(({ ahead }) => isClear(ahead));
    const list = (sign: number): string =>
      clear
        .filter(({ ahead }) => ahead.mean * sign > 0)
        .map(({ name, ahead }) => `${name} (${show(ahead, 2)})`)
        .join(', ') || 'no class';
    const pair = `${contender.name} than with ${first.contender.name}`;
    return clear.length === 0
      ? `recall: no class is clearly better or worse with ${pair}.`
      : `recall: clearly higher with ${pair} for ${list(1)}, clearly lower for ${list(-1)}.`;
  });
}

/** Sentences that say what the numbers show. */
export function verdicts(outcome: Outcome): string[] {
  if (outcome.majority.length < 2) return ['One seed has no spread to judge differences by.'];
  const measures = measuresOf(outcome.task);
  return [
    ...measures.map((measure) => verdictOn(measure, outcome)),
    ...verdictOnRecall(outcome),
  ].map((text) => `${text[0]?.toUpperCase()}${text.slice(1)}`);
}
