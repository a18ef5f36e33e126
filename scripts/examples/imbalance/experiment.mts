import type * as tf from '@tensorflow/tfjs';
import { mean } from 'simple-statistics';
import {
  averagePrecision,
  bestThreshold,
  type Decisions,
  judge,
  type Point,
  precisionAt,
  precisionRecall,
} from './metrics.mjs';
import { type Columns, train } from './model.mjs';
import {
  type Contender,
  disposeSplit,
  type Part,
  type Split,
  scoredClasses,
  type Task,
} from './task.mjs';

/** The recalls at which the precision-recall curves are compared. */
export const recallGrid = Array.from({ length: 50 }, (_, i) => (i + 1) / 50);

/** How well a model did on the test examples. */
export interface Scores extends Decisions {
  averagePrecision: number;
}

/** The model after one epoch. */
interface Scored extends Scores {
  /** The epoch with the largest one is chosen, of equals the last. */
  rank: number;
  /** The precision at each recall of `recallGrid`. */
  curve: number[];
}

/** One training, at the chosen epoch. */
export interface Run extends Scored {
  /** The average precision on the test examples after each epoch. */
  history: number[];
}

/** The runs of one loss, in the order of the seeds. */
export interface Result {
  contender: Contender;
  runs: Run[];
}

/** What came out of a task. */
export interface Outcome {
  task: Task;
  results: Result[];
  /** Calling everything the most frequent class, for each seed. */
  majority: Scores[];
}

function curvesOf(task: Task, scores: Columns, { targets }: Part): Point[][] {
  return scoredClasses(task).map((id, column) =>
    precisionRecall(scores[column] as ArrayLike<number>, (row) => targets[row] === id),
  );
}

const areaOf = (curves: Point[][]): number => mean(curves.map(averagePrecision));

function decide(scores: Columns, threshold: number | undefined): number[] {
  return Array.from(scores[0] as ArrayLike<number>, (score, row) => {
    if (threshold !== undefined) return score >= threshold ? 1 : 0;
    const values = scores.map((column) => column[row] as number);
    return values.indexOf(Math.max(...values));
  });
}

function majorityOf(task: Task, test: Part): Scores {
  const most = task.trainCounts.indexOf(Math.max(...task.trainCounts));
  const constant = scoredClasses(task).map(() => new Float32Array(test.targets.length));
  const predicted = new Array<number>(test.targets.length).fill(most);
  return {
    averagePrecision: areaOf(curvesOf(task, constant, test)),
    ...judge(test.targets, predicted, scoredClasses(task)),
  };
}

function scoresOf(
  task: Task,
  { validation, test }: Split,
  score: (inputs: tf.Tensor2D) => Columns,
): Scored {
  const scores = score(test.inputs);
  const curves = curvesOf(task, scores, test);
  const chosenOn = validation && curvesOf(task, score(validation.inputs), validation);
  const threshold = chosenOn && bestThreshold(chosenOn[0] as Point[]);
  const grids = curves.map((points) => precisionAt(points, recallGrid));
  return {
    rank: chosenOn ? areaOf(chosenOn) : Number.POSITIVE_INFINITY,
    averagePrecision: areaOf(curves),
    curve: recallGrid.map((_, i) => mean(grids.map((precisions) => precisions[i] as number))),
    ...judge(test.targets, decide(scores, threshold), scoredClasses(task)),
  };
}

async function runOnce(
  task: Task,
  split: Split,
  { criterion }: Contender,
  seed: number,
  onEpoch: () => void,
): Promise<Run> {
  const epochs: Scored[] = [];
  await train(task, split.train, criterion, seed, (score) => {
    epochs.push(scoresOf(task, split, score));
    onEpoch();
  });
  const chosen = epochs.reduce((best, epoch) => (epoch.rank >= best.rank ? epoch : best));
  return { ...chosen, history: epochs.map(({ averagePrecision }) => averagePrecision) };
}

/** Every loss of a task with every seed: the same split, weights and batches for all losses. */
export async function experiment(
  task: Task,
  seeds: number[],
  onEpoch: (contender: Contender, seed: number) => void,
): Promise<Outcome> {
  const results: Result[] = task.contenders.map((contender) => ({ contender, runs: [] }));
  const majority: Scores[] = [];
  for (const seed of seeds) {
    const split = task.split(seed);
    majority.push(majorityOf(task, split.test));
    for (const { contender, runs } of results) {
      runs.push(await runOnce(task, split, contender, seed, () => onEpoch(contender, seed)));
    }
    disposeSplit(split);
  }
  return { task, results, majority };
}
