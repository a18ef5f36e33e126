// Means over a hundred million elements, and tensors whose offsets do not fit into 32 bits.
import { freemem } from 'node:os';
import { expect } from 'chai';
import { cuda, type Tensor, tensor } from 'culoss';
import { criterionOf, tolerances } from './cases.mjs';
import { itUnless, onCuda, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';

const half = (value: number): number =>
  (tensor([value], [1], { dtype: 'bfloat16' }).dataSync() as Uint16Array)[0] as number;

describe('large', () => {
  onDevices('a mean over 10^8 elements is right to 1e-6', (device) => {
    const parts = [
      { share: 0.6, p: 0.0078125 },
      { share: 0.3, p: 0.25 },
      { share: 0.1, p: 0.984375 },
    ];
    const size = 1e8;
    const data = new Uint16Array(size);
    let end = 0;
    for (const { share, p } of parts) {
      const begin = end;
      end += Math.round(share * size);
      data.fill(half(p), begin, end);
    }
    const x = tensor(data, [size / 10, 10], { dtype: 'bfloat16' }).to(device);
    const y = tensor(new Uint8Array(size), [size / 10, 10]).to(device);
    const loss = criterionOf({ loss: 'BinaryCrossEntropy' }).forward(x, y).item();
    const exact = parts.reduce((sum, { share, p }) => sum - share * Math.log1p(-p), 0);
    expectClose([loss], [exact], { relative: 1e-6 });
  });

  const rows = 2 ** 16 + 1;
  const columns = 2 ** 15;
  /** 2^31 + 2^15 probabilities of 0, but for the last one. */
  const probabilities = (): Tensor => {
    const data = new Uint16Array(rows * columns); // untouched pages take no memory
    data[data.length - 1] = half(0.5);
    return tensor(data, [rows, columns], { dtype: 'bfloat16' });
  };
  const ids = tensor(new Int32Array(rows).fill(columns - 1), [rows]);

  const needed = 8 * 2 ** 30;
  const free = freemem() >= needed ? null : `less than ${needed / 2 ** 30} GiB of memory are free`;
  itUnless(free, 'class ids find their probabilities beyond 2^31 elements', () => {
    const criterion = criterionOf({ loss: 'NegativeLogLoss' }, { reduction: 'none' });
    const losses = criterion.forward(probabilities(), ids).dataSync();
    const { value: relative } = tolerances.bfloat16;
    expectClose([losses[0] as number], [-Math.log(0.001)], { relative });
    expectClose([losses[rows - 1] as number], [Math.LN2], { relative });
    // The same memory, seen as an image with the classes in front.
    const image = tensor(probabilities().dataSync(), [1, rows, columns], { dtype: 'bfloat16' });
    const last = tensor(new Int32Array(columns).fill(rows - 1), [1, columns]);
    const ofImage = criterion.forward(image, last).dataSync();
    expectClose([ofImage[columns - 1] as number], [Math.LN2], { relative });
  });

  itUnless(free, 'value and gradient of more than 2^31 elements', () => {
    const sum = { loss: 'BinaryCrossEntropy', clamp: null } as const;
    const criterion = criterionOf(sum, { reduction: 'sum' });
    const { loss, grad } = criterion.valueAndGrad(probabilities(), ids);
    // −log 0 counts as 100, −log(1 − 0) is 0 and has the slope 1.
    expectClose([loss.item()], [(rows - 1) * 100 + Math.LN2], { relative: 1e-6 });
    const slopes = grad.dataSync();
    for (const at of [0, 2 ** 31, slopes.length - 2]) expect(slopes[at], `${at}`).to.equal(half(1));
    expect(slopes[columns - 1]).to.equal(half(-1e12));
    expect(slopes[slopes.length - 1]).to.equal(half(-2));
  });

  // The emulated device would need three copies.
  const device = cuda.isAvailable() ? cuda.device() : undefined;
  const emulated = device?.name === 'emulated device' ? 'the device is emulated' : free;
  const cudaOnly = emulated ? itUnless.bind(null, emulated) : onCuda;
  cudaOnly('value and gradient of more than 2^31 elements cuda:0', () => {
    const sum = { loss: 'BinaryCrossEntropy', clamp: null } as const;
    const x = probabilities().cuda();
    const { loss, grad } = criterionOf(sum, { reduction: 'sum' }).valueAndGrad(x, ids.cuda());
    x.dispose();
    expectClose([loss.item()], [(rows - 1) * 100 + Math.LN2], { relative: 1e-6 });
    const slopes = grad.dataSync();
    grad.dispose();
    for (const at of [0, 2 ** 31, slopes.length - 2]) expect(slopes[at], `${at}`).to.equal(half(1));
    expect(slopes[slopes.length - 1]).to.equal(half(-2));
  });
});
