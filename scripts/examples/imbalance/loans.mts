import * as tf from '@tensorflow/tfjs';
import { parse } from 'csv-parse/sync';
import { BinaryCrossEntropy, BinaryFocalLoss } from 'culoss';
import { readGzip } from './files.mjs';
import { countsOf, type Part, permutation, type Split, type Task } from './task.mjs';

type Row = Record<string, string>;

const classes = ['good', 'bad'];
const target = 'Class';

function readRows(): Row[] {
  const rows: Row[] = parse(readGzip('lending_club.csv.gz'), { columns: true });
  for (const [i, row] of rows.entries()) {
    for (const [name, text] of Object.entries(row)) {
      if (['', 'NA'].includes(text)) throw new Error(`row ${i + 1}: no value for ${name}`);
    }
    if (!classes.includes(row[target] as string)) {
      throw new Error(`row ${i + 1}: expected ${classes.join(' or ')}, got ${row[target]}`);
    }
  }
  return rows;
}

/** 60 % to learn from, 20 % to choose epoch and threshold on, 20 % to test, of each class. */
function stratify(ids: Int32Array, seed: number): [number[], number[], number[]] {
  const order = permutation(ids.length, seed);
  const parts: [number[], number[], number[]] = [[], [], []];
  for (const id of classes.keys()) {
    const members = order.filter((row) => ids[row] === id);
    const [first, second] = [0.6, 0.8].map((share) => Math.round(share * members.length));
    parts[0].push(...members.slice(0, first));
    parts[1].push(...members.slice(first, second));
    parts[2].push(...members.slice(second));
  }
  return parts;
}

/** Every column as (rows, 1) if it is numeric, else one-hot over the levels seen in training. */
function encode(rows: Row[], train: number[]): tf.Tensor2D {
  const seen = tf.tensor1d(train, 'int32');
  const names = Object.keys(rows[0] as Row).filter((name) => name !== target);
  const columns = names.map((name) => {
    const texts = rows.map((row) => row[name] as string);
    const numbers = texts.map(Number);
    if (numbers.every(Number.isFinite)) {
      const values = tf.tensor2d(numbers, [numbers.length, 1]);
      const { mean, variance } = tf.moments(tf.gather(values, seen));
      return values.sub(mean).div(variance.sqrt().add(1e-6)) as tf.Tensor2D;
    }
    const levels = [...new Set(train.map((row) => texts[row] as string))];
    const codes = texts.map((text) => levels.indexOf(text)); // -1 becomes a row of zeros
    return tf.oneHot(tf.tensor1d(codes, 'int32'), levels.length).toFloat() as tf.Tensor2D;
  });
  return tf.concat(columns, 1);
}

export function loans(epochs: number): Task {
  const rows = readRows();
  const ids = Int32Array.from(rows, (row) => classes.indexOf(row[target] as string));
  const trainCounts = countsOf(
    stratify(ids, 0)[0].map((row) => ids[row] as number),
    2,
  );
  const [good, bad] = trainCounts as [number, number];
  const alpha = good / (good + bad);
  const shown = alpha.toFixed(3);

  return {
    name: 'Loans',
    about:
      `${rows.length} loans of Lending Club with ${Object.keys(rows[0] as Row).length - 1} ` +
      `features; ${((100 * bad) / (good + bad)).toFixed(1)} % are bad (charged off, ` +
      'in default or late), which is the positive class.',
    source: 'lending_club of the R package modeldata 1.1.0, Max Kuhn, © 2019 RStudio (MIT)',
    varies: 'the stratified split (60 % training, 20 % validation, 20 % test), weights, batches',
    decision: 'bad where the score reaches the threshold with the best F1 on the validation split',
    epoch: 'the one with the best average precision on the validation split',
    classes,
    trainCounts,
    columns: 1,
    hidden: 16,
    epochs,
    batchSize: 256,
    learningRate: 0.002,
    contenders: [
      {
        name: 'log loss',
        code: "BinaryCrossEntropy({ from: 'logits' })",
        criterion: new BinaryCrossEntropy({ from: 'logits' }),
      },
      {
        name: 'balanced log loss',
        code: `BinaryCrossEntropy({ from: 'logits', alpha: ${shown} })`,
        criterion: new BinaryCrossEntropy({ from: 'logits', alpha }),
      },
      {
        name: 'focal loss',
        code: `BinaryFocalLoss({ from: 'logits', gamma: 2, alpha: ${shown} })`,
        criterion: new BinaryFocalLoss({ from: 'logits', gamma: 2, alpha }),
      },
    ],
    split(seed): Split {
      const [train, validation, test] = stratify(ids, seed);
      const inputs = tf.tidy(() => encode(rows, train));
      const part = (members: number[]): Part => ({
        inputs: tf.tidy(() => tf.gather(inputs, tf.tensor1d(members, 'int32'))),
        targets: Int32Array.from(members, (row) => ids[row] as number),
      });
      const split = { train: part(train), validation: part(validation), test: part(test) };
      inputs.dispose();
      return split;
    },
  };
}
