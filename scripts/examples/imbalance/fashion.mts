import * as tf from '@tensorflow/tfjs';
import { CategoricalFocalLoss, NegativeLogLoss } from 'culoss';
import { readGzip } from './files.mjs';
import { countsOf, type Part, type Task } from './task.mjs';

const classes = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
];

/** An idx file of bytes: two zeros, the type, the rank, the lengths big-endian, the elements. */
function readIdx(name: string, rank: number): { shape: number[]; bytes: Uint8Array } {
  const file = readGzip('fashion-mnist-long-tail', name);
  const unsignedByte = 0x08;
  const magic = file.readUInt32BE(0);
  if (magic !== unsignedByte * 256 + rank) {
    throw new Error(`${name}: expected bytes of rank ${rank}, got the magic number ${magic}`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => file.readUInt32BE(4 + 4 * axis));
  const bytes = file.subarray(4 + 4 * rank);
  const size = shape.reduce((product, length) => product * length, 1);
  if (bytes.length !== size) {
    throw new Error(`${name}: expected ${size} elements, got ${bytes.length}`);
  }
  return { shape, bytes };
}

interface Images {
  pixels: Float32Array;
  shape: [count: number, height: number, width: number];
  targets: Int32Array;
}

function readImages(part: 'train' | 'test'): Images {
  const images = readIdx(`${part}-images-idx3-ubyte.gz`, 3);
  const labels = readIdx(`${part}-labels-idx1-ubyte.gz`, 1);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (labels.shape[0] !== count || labels.bytes.some((id) => id >= classes.length)) {
    throw new Error(`${part}: expected one label from 0 to ${classes.length - 1} for each image`);
  }
  return {
    pixels: Float32Array.from(images.bytes, (byte) => byte / 255),
    shape: [count, height, width],
    targets: Int32Array.from(labels.bytes),
  };
}

export function fashion(epochs: number): Task {
  const train = readImages('train');
  const test = readImages('test');
  const trainCounts = countsOf(train.targets, classes.length);
  const part = ({ pixels, shape: [count, height, width], targets }: Images): Part => {
    const inputs = tf.tidy(() => {
      const images = tf.tensor4d(pixels, [count, height, width, 1]);
      return tf.avgPool(images, 2, 2, 'valid').reshape([count, -1]) as tf.Tensor2D;
    });
    return { inputs, targets };
  };

  return {
    name: 'Long-tailed Fashion-MNIST',
    about:
      `${train.shape[0]} images to learn from, from ${Math.max(...trainCounts)} of the most ` +
      `frequent class to ${Math.min(...trainCounts)} of the rarest; ` +
      `${test.shape[0]} to test, as many of each of the ${classes.length} classes. ` +
      'Each 2 × 2 pixels are averaged into one.',
    source: 'a subset of Fashion-MNIST, © 2017 Zalando SE (MIT)',
    varies: 'weights and batches; the training and test images stay the same',
    decision: 'the class with the largest score',
    epoch: 'the last, as there is no validation split: the rarest class has too few images',
    classes,
    trainCounts,
    columns: classes.length,
    hidden: 64,
    epochs,
    batchSize: 128,
    learningRate: 0.005,
    contenders: [
      {
        name: 'log loss',
        code: "NegativeLogLoss({ from: 'logits' })",
        criterion: new NegativeLogLoss({ from: 'logits' }),
      },
      {
        name: 'focal loss',
        code: "CategoricalFocalLoss({ from: 'logits', gamma: 2 })",
        criterion: new CategoricalFocalLoss({ from: 'logits', gamma: 2 }),
      },
    ],
    split: () => ({ train: part(train), test: part(test) }),
  };
}
