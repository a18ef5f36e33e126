import * as tf from '@tensorflow/tfjs';
import { type Criterion, cuda, type Tensor, tensor } from 'culoss';
import { type Part, permutation, type Task } from './task.mjs';

const place = (t: Tensor): Tensor => (cuda.isAvailable() ? t.cuda() : t);

/** Dense `[N, 1]` for a single logit, class ids `[N]` for one logit per class. */
function targetsOf(ids: Int32Array, columns: number): Tensor {
  return columns === 1 ? tensor(Float32Array.from(ids), [ids.length, 1]) : tensor(ids);
}

/** The loss and its gradient from culoss, as a node of the graph that TensorFlow.js goes back. */
function lossOf(criterion: Criterion, logits: tf.Tensor2D, ids: Int32Array): tf.Scalar {
  const loss = tf.customGrad((x) => {
    const { shape } = x as tf.Tensor2D;
    using inputs = place(tensor((x as tf.Tensor2D).dataSync(), shape));
    using targets = place(targetsOf(ids, shape[1]));
    const result = criterion.valueAndGrad(inputs, targets);
    using value = result.loss;
    using grad = result.grad;
    const slopes = grad.dataSync() as Float32Array;
    return {
      value: tf.scalar(value.item()),
      gradFunc: (dy: tf.Tensor) => tf.tensor2d(slopes, shape).mul(dy),
    };
  });
  return loss(logits) as tf.Scalar;
}

function perceptron({ hidden, columns }: Task, features: number, seed: number): tf.Sequential {
  const weights = (layer: number) => tf.initializers.glorotUniform({ seed: 2 * seed + layer });
  return tf.sequential({
    layers: [
      tf.layers.dense({
        units: hidden,
        activation: 'relu',
        inputShape: [features],
        kernelInitializer: weights(0),
      }),
      tf.layers.dense({ units: columns, kernelInitializer: weights(1) }),
    ],
  });
}

function learnOneEpoch(
  model: tf.Sequential,
  optimizer: tf.Optimizer,
  { inputs, targets }: Part,
  criterion: Criterion,
  order: number[],
  batchSize: number,
): void {
  for (let start = 0; start < order.length; start += batchSize) {
    const rows = order.slice(start, start + batchSize);
    const ids = Int32Array.from(rows, (row) => targets[row] as number);
    tf.tidy(() => {
      const batch = tf.gather(inputs, tf.tensor1d(rows, 'int32'));
      optimizer.minimize(() => lossOf(criterion, model.apply(batch) as tf.Tensor2D, ids));
    });
  }
}

/** Logits of all rows, one typed array for each column. */
export type Columns = ArrayLike<number>[];

function predict(model: tf.Sequential, inputs: tf.Tensor2D): Columns {
  return tf.tidy(() => {
    const logits = model.apply(inputs) as tf.Tensor2D;
    // Ranked against other images, a class needs its probability; one logit ranks as it is.
    const scores = logits.shape[1] === 1 ? logits : tf.softmax(logits);
    return tf.unstack(scores, 1).map((column) => column.dataSync());
  });
}

/** Trains a model; after each epoch `onEpoch` gets a function that scores examples with it. */
export async function train(
  task: Task,
  part: Part,
  criterion: Criterion,
  seed: number,
  onEpoch: (score: (inputs: tf.Tensor2D) => Columns) => void,
): Promise<void> {
  const model = perceptron(task, part.inputs.shape[1], seed);
  const optimizer = tf.train.adam(task.learningRate);
  for (let epoch = 0; epoch < task.epochs; epoch++) {
    const order = permutation(part.targets.length, seed * task.epochs + epoch);
    learnOneEpoch(model, optimizer, part, criterion, order, task.batchSize);
    onEpoch((inputs) => predict(model, inputs));
    await tf.nextFrame();
  }
  model.dispose();
  optimizer.dispose();
}
