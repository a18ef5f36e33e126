// jax-js: the model and its pullback are its, the loss and the gradient of the logits are of culoss.
//
// jax-js has no custom gradient: `vjp` gives the logits and a function from their gradient to that of
// the parameters, which is all that a loss outside needs.
import { defaultDevice, init, numpy as np, tree, vjp } from '@jax-js/jax';
import { CategoricalFocalLoss, tensor } from 'culoss';

await init('wasm');
defaultDevice('wasm');

const points = [
  [0, 0],
  [0, 1],
  [4, 0],
  [5, 1],
  [0, 5],
  [1, 6],
];
const labels = tensor(new Int32Array([0, 0, 1, 1, 2, 2]), [6]);
const criterion = new CategoricalFocalLoss({ from: 'logits', gamma: 2 });

type Parameters = { weights: np.Array; bias: np.Array };
const features = np.array(points);
const model = ({ weights, bias }: Parameters): np.Array => np.dot(features.ref, weights).add(bias); // arrays move: `ref` keeps one

let parameters: Parameters = { weights: np.zeros([2, 3]), bias: np.zeros([3]) };
let value = Number.NaN;
for (let step = 0; step < 200; step++) {
  const [logits, pull] = vjp(model, [tree.ref(parameters)]);
  const { shape } = logits;
  const inputs = tensor(logits.dataSync() as Float32Array, shape);
  const { loss, grad } = criterion.valueAndGrad(inputs, labels);
  value = loss.item();
  const [slopes] = pull(np.array(grad.dataSync() as Float32Array<ArrayBuffer>).reshape(shape));
  pull.dispose();
  parameters = {
    weights: parameters.weights.sub(slopes.weights.mul(0.5)),
    bias: parameters.bias.sub(slopes.bias.mul(0.5)),
  };
}
const scores = model(tree.ref(parameters)).js() as number[][];
const predicted = scores.map((row) => row.indexOf(Math.max(...row)));
console.log(`loss ${value.toFixed(4)}, classes ${predicted.join(' ')}`);
