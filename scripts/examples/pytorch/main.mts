// The gradient of logits that a process of PyTorch owns, in memory of its own, without a copy:
//
//   node out/scripts/examples/pytorch/main.mjs [python]
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cuda, NegativeLogLoss, scope, Tensor } from 'culoss';

interface Shared {
  handle: number[];
  offset: number;
  shape: number[];
}

const source = fileURLToPath(
  new URL('../../../../scripts/examples/pytorch/owner.py', import.meta.url),
);
const owner = spawn(process.argv[2] ?? 'python3', [source], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: owner.stdout })[Symbol.asyncIterator]();
const next = async <T,>(): Promise<T> => {
  const { value, done } = await lines.next();
  if (done) throw new Error('the process of PyTorch ended; what it said is above');
  return JSON.parse(value);
};

const { logits, grad, ids } = await next<{ logits: Shared; grad: Shared; ids: number[] }>();
const open = ({ handle, offset, shape }: Shared): Tensor<'float32'> =>
  Tensor.fromIpcHandle(Uint8Array.from(handle), shape, { offset });

const criterion = new NegativeLogLoss({ from: 'logits' }); // cross-entropy
const loss = await scope(async () => {
  const outGrad = open(grad);
  const { loss } = criterion.valueAndGrad(open(logits), ids, { outGrad });
  await cuda.synchronize(); // before the owner is told to go on
  return loss.itemAsync();
});
owner.stdin.end(`${JSON.stringify({ loss })}\n`);
const expected = await next<{ loss: number }>();
console.log(`loss ${loss.toFixed(6)}, of PyTorch ${expected.loss.toFixed(6)}; the gradients agree`);
