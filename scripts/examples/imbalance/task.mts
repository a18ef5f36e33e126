import * as tf from '@tensorflow/tfjs';
import type { Criterion } from 'culoss';

/** Examples of one split: `inputs` (rows, features), `targets` class ids (rows). */
export interface Part {
  inputs: tf.Tensor2D;
  targets: Int32Array;
}

/**
 * With a validation part, the epoch and the threshold are chosen on it; without one, the last epoch
 * and the largest score count.
 */
export interface Split {
  train: Part;
  validation?: Part;
  test: Part;
}

/** A loss to compare, `code` as one would write it. */
export interface Contender {
  name: string;
  code: string;
  criterion: Criterion;
}

/** A data set, the model that learns it, and the losses that are compared on it. */
export interface Task {
  name: string;
  about: string;
  source: string;
  /** What differs from seed to seed. */
  varies: string;
  /** What the predicted class is. */
  decision: string;
  classes: string[];
  /** Which epoch counts. */
  epoch: string;
  /** Examples of each class to learn from. */
  trainCounts: number[];
  /** 1: the last of two classes against the first, by a sigmoid; else a column for each class. */
  columns: number;
  hidden: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  contenders: Contender[];
  split(seed: number): Split;
}

/** The classes that have a column of scores. */
export function scoredClasses({ columns, classes }: Task): number[] {
  const ids = [...classes.keys()];
  return columns === 1 ? ids.slice(-1) : ids;
}

/** 0 … `length - 1` in an order that follows from the seed. */
export function permutation(length: number, seed: number): number[] {
  const keys = tf.tidy(() => tf.randomUniform([length], 0, 1, 'float32', seed).dataSync());
  return [...keys.keys()].sort((a, b) => (keys[a] as number) - (keys[b] as number));
}

export function countsOf(targets: ArrayLike<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const id of Array.from(targets)) counts[id] = (counts[id] as number) + 1;
  return counts;
}

export function disposeSplit({ train, validation, test }: Split): void {
  tf.dispose([train.inputs, test.inputs]);
  validation?.inputs.dispose();
}
