// Gradients that no cache holds: they are written past it, in whole lines of it, wherever they begin
// in memory.
import { expect } from 'chai';
import { cpu, type Tensor, tensor } from 'culoss';
import { criterionOf, type FloatDtype, randomNumbers } from './cases.mjs';
import { withIsa } from './devices.mjs';
import { expectClose } from './expect.mjs';

describe('large gradients', () => {
  // Along rows, of rows that are turned, that lie apart, and that threads share.
  const shapes = [
    [20_011, 107],
    [420_013, 5],
    [3, 17, 50_021],
    [5, 500_009],
  ];
  const losses = ['BinaryFocalLoss', 'CategoricalFocalLoss'] as const;
  const storages = {
    float64: Float64Array,
    float32: Float32Array,
    bfloat16: Uint16Array,
  } as const;
  type Dtype = keyof typeof storages & FloatDtype;
  const dtypes = Object.keys(storages) as Dtype[];
  const random = randomNumbers(11);
  const period = Float32Array.from({ length: 10_007 }, () => (random() - 0.5) * 12);

  function batchOf(shape: readonly number[], dtype: Dtype) {
    const [outer, columns, inner] = shape as [number, number, number?];
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      (_, i) => period[i % period.length] as number,
    );
    const rows = inner === undefined ? [outer] : [outer, inner];
    const ids = Int32Array.from({ length: outer * (inner ?? 1) }, (_, r) => (r * 7919) % columns);
    return { x: tensor(data, shape, { dtype }), y: tensor(ids, rows) };
  }

  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

  for (const shape of shapes) {
    // Half the bytes are too few of the smaller shapes to go past the cache: twice the rows.
    for (const dtype of dtypes) {
      const whole = dtype === 'bfloat16' ? [2 * (shape[0] as number), ...shape.slice(1)] : shape;
      for (const loss of losses) {
        it(`${loss} ${whole.join('×')} ${dtype}: the same wherever it begins`, () => {
          const { x, y } = batchOf(whole, dtype);
          const criterion = criterionOf({ loss, from: 'logits' }, { reduction: 'sum' });
          const { grad } = criterion.valueAndGrad(x, y);
          const expected = bytesOf(grad.dataSync());
          const Storage = storages[dtype];
          const guard = 64;
          for (const before of [0, 1, 4, 7, 15, 31]) {
            const room = new Storage(x.size + 2 * guard).fill(42);
            const at = guard + before;
            const outGrad = tensor(room.subarray(at, at + x.size), whole, { dtype });
            criterion.valueAndGrad(x, y, { outGrad });
            const isSame = bytesOf(outGrad.dataSync()).equals(expected);
            expect(isSame, `${before} elements on`).to.equal(true);
            const beside = [...room.subarray(0, at), ...room.subarray(at + x.size)];
            expect(new Set(beside), `beside ${before}`).to.deep.equal(new Set([42]));
          }
        });
      }
    }
  }

  for (const isa of cpu.isas) {
    it(`${isa}: that of a batch is made of those of its parts, which stay in the cache`, () =>
      withIsa(isa, () => {
        const [rows, columns] = shapes[0] as [number, number];
        const { x, y } = batchOf([rows, columns], 'float32');
        const part = 4001;
        for (const loss of losses) {
          const criterion = criterionOf({ loss, from: 'logits' }, { reduction: 'sum' });
          const gradOf = (inputs: Tensor, ids: Tensor) => {
            const outGrad = new Float32Array(inputs.size + 1).subarray(1);
            criterion.valueAndGrad(inputs, ids, { outGrad: tensor(outGrad, inputs.shape) });
            return outGrad;
          };
          const of = [...gradOf(x, y)];
          for (let first = 0; first < rows; first += part) {
            const last = Math.min(first + part, rows);
            const [data, ids] = [x.dataSync(), y.dataSync()] as [Float32Array, Int32Array];
            const inputs = tensor(data.slice(first * columns, last * columns), [
              last - first,
              columns,
            ]);
            const found = gradOf(inputs, tensor(ids.slice(first, last), [last - first]));
            expectClose(of.slice(first * columns, last * columns), [...found], { relative: 1e-6 });
          }
        }
      }));
  }
});
