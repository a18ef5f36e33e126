// Tensors: what they are made of, what they say, how they move.
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { type Dtype, Tensor, tensor } from 'culoss';
import { itUnless, numbers, onDevices } from './devices.mjs';
import { expectSame } from './expect.mjs';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
} as const;

describe('tensor', () => {
  for (const [dtype, Data] of Object.entries(arrays) as [Dtype, Uint8ArrayConstructor][]) {
    onDevices(`${dtype} facts, and a round trip`, async (device) => {
      const t = tensor(
        [
          [1, 0, 2],
          [3, 5, 4],
        ],
        undefined,
        { dtype, device },
      );
      expect(t.shape).to.deep.equal([2, 3]);
      expect([t.dtype, t.device, t.size]).to.deep.equal([dtype, device, 6]);
      expect(t.byteLength).to.equal(6 * Data.BYTES_PER_ELEMENT);
      expect(t.dataSync()).to.be.instanceOf(Data);
      expect(await t.data()).to.deep.equal(t.dataSync());
      expect(t.arraySync()).to.deep.equal([
        [1, 0, 2],
        [3, 5, 4],
      ]);
      expect(await t.array()).to.deep.equal(t.arraySync());
      const host = t.cpu();
      expect(host.device).to.equal('cpu');
      expect(host.dtype).to.equal(dtype);
      expect(host.to(device).arraySync()).to.deep.equal(t.arraySync());
      expect(t.to(device)).to.equal(t);
      expect(tensor(7, [], { dtype, device }).item()).to.equal(7);
      expect(await tensor([[[7]]], undefined, { dtype, device }).itemAsync()).to.equal(7);
    });
  }

  onDevices('set overwrites the elements, from a typed array or a tensor', (device) => {
    for (const [dtype, Data] of Object.entries(arrays) as [Dtype, Uint8ArrayConstructor][]) {
      const source = tensor([3, 1, 2], undefined, { dtype });
      const wide = tensor([[5, 6, 7]], undefined, { dtype, device });
      for (const from of [source, source.dataSync(), source.to(device)]) {
        expect(wide.set(from)).to.equal(wide);
        expect(wide.arraySync()).to.deep.equal([[3, 1, 2]]);
        wide.set(new Data(3));
        expect(wide.arraySync()).to.deep.equal([[0, 0, 0]]);
        expect(source.arraySync()).to.deep.equal([3, 1, 2]);
      }
      expect(source.set(wide).set(source).arraySync()).to.deep.equal([0, 0, 0]);
    }
  });

  it('a typed array of the right dtype is aliased', () => {
    const data = new Float32Array([1, 2, 3, 4]);
    const t = tensor(data, [2, 2]);
    expect(t.dataSync()).to.equal(data);
    data[3] = 9;
    expect(t.arraySync()).to.deep.equal([
      [1, 2],
      [3, 9],
    ]);
    expect(tensor(data).shape).to.deep.equal([4]);
  });

  it('a typed array of another dtype is converted', () => {
    expect(tensor(new Float64Array([0.1]), [1], { dtype: 'float32' }).item()).to.equal(
      Math.fround(0.1),
    );
    expect(tensor(new BigInt64Array([5n]), [1], { dtype: 'int32' }).item()).to.equal(5);
    expect(tensor([2n ** 60n], [1], { dtype: 'int64' }).dataSync()[0]).to.equal(2n ** 60n);
  });

  it('{ data, shape }, { data, dims, type } and Buffer are read as they are', () => {
    const data = new Float32Array([1, 2, 3, 4, 5, 6]);
    expect(tensor({ data, shape: [3, 2] }).arraySync()).to.deep.equal([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(tensor({ data, dims: [2, 3], type: 'float32' }).dataSync()).to.equal(data);
    const bits = new Uint16Array([0x3c00, 0xc000]);
    expect(tensor({ data: bits, dims: [2], type: 'float16' }).arraySync()).to.deep.equal([1, -2]);
    expect(tensor({ data: [1, 2], shape: [1, 2] }).arraySync()).to.deep.equal([[1, 2]]);
    expect(tensor(Buffer.from([1, 2])).dtype).to.equal('uint8');
  });

  const { Float16Array } = globalThis as { Float16Array?: typeof Float32Array };
  const missing = Float16Array ? null : `Node ${process.versions.node} has no Float16Array`;
  itUnless(missing, 'a Float16Array is read as float16', () => {
    const t = tensor(new (Float16Array as typeof Float32Array)([0.5, -2]));
    expect([t.dtype, t.arraySync()]).to.deep.equal(['float16', [0.5, -2]]);
  });

  it('typed arrays and arrays of another realm are read like ours', () => {
    const other = runInNewContext('({ data: new Float32Array([0.5, 0.25]), nested: [[1, 2]] })');
    const t = tensor(other.data, [1, 2]);
    expect([t.dtype, t.dataSync() === other.data]).to.deep.equal(['float32', true]);
    expect(tensor(other.nested).arraySync()).to.deep.equal([[1, 2]]);
  });

  it('a large typed array is converted without an array of numbers beside it', () => {
    const t = tensor(new Float32Array(2e7).fill(1.5), [2e7], { dtype: 'bfloat16' });
    expect(t.dataSync()[2e7 - 1]).to.equal(0x3fc0);
  });

  it('reading a tensor whose buffer was detached is an error', () => {
    const data = new Float32Array(2);
    const t = tensor(data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    for (const read of [() => t.dataSync(), () => t.arraySync(), () => t.item()]) {
      expect(read).to.throw(RangeError);
    }
  });

  it('shapes of 0 and of no axes are shapes', () => {
    expect(tensor([]).shape).to.deep.equal([0]);
    expect(tensor([[], []]).arraySync()).to.deep.equal([[], []]);
    expect(tensor(3).arraySync()).to.equal(3);
    expect(tensor(new Float32Array(0), [0, 7]).arraySync()).to.deep.equal([]);
  });

  onDevices('dispose is idempotent, and `using` calls it', (device) => {
    const t = tensor([1, 2], undefined, { device });
    expect(t.disposed).to.equal(false);
    t[Symbol.dispose]();
    t.dispose();
    expect(t.disposed).to.equal(true);
    expect([t.size, t.shape]).to.deep.equal([2, [2]]);
  });

  it('its facts cannot be changed', () => {
    const t = tensor([1, 2]);
    expect(() => Object.assign(t, { dtype: 'int64' })).to.throw(TypeError);
    expect(() => (t.shape as number[]).push(3)).to.throw(TypeError);
    expect(`${t}`).to.equal('Tensor float32 [2] on cpu');
    expect(t).to.be.instanceOf(Tensor);
  });
});

describe('half types', () => {
  /** The value of 16 bits, from the definition of the format. */
  function decoded(bits: number, exponentBits: number): number {
    const fractionBits = 15 - exponentBits;
    const bias = 2 ** (exponentBits - 1) - 1;
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits & 0x7fff) >> fractionBits;
    const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    if (exponent === 2 ** exponentBits - 1)
      return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias));
  }

  for (const [dtype, exponentBits] of [
    ['float16', 5],
    ['bfloat16', 8],
  ] as const) {
    const all = new Uint16Array(65536).map((_, bits) => bits);
    const values = Array.from(all, (bits) => decoded(bits, exponentBits));

    it(`${dtype} decodes every one of its 65536 patterns`, () => {
      expectSame(numbers(tensor(all, undefined, { dtype })), values);
    });

    it(`${dtype} encodes each value as itself, and rounds between two to the even one`, () => {
      const positive = values.slice(0, 0x8000).map((value, bits) => ({ value, bits }));
      const finite = positive.filter(({ value }) => value < Number.POSITIVE_INFINITY);
      const encode = (value: number): number =>
        tensor([value], [1], { dtype }).dataSync()[0] as number;
      for (let i = 0; i < finite.length - 1; i += 7) {
        const { value, bits } = finite[i] as { value: number; bits: number };
        const next = (finite[i + 1] as { value: number }).value;
        const middle = (value + next) / 2;
        expect(encode(value)).to.equal(bits);
        expect(encode(-value)).to.equal(bits | 0x8000);
        expect(encode(middle)).to.equal(bits % 2 ? bits + 1 : bits);
        expect(encode(middle - (next - value) / 1e6)).to.equal(bits);
        expect(encode(middle + (next - value) / 1e6)).to.equal(bits + 1);
      }
      const { value: largest, bits } = finite.at(-1) as { value: number; bits: number };
      expect(encode(largest * 1.0001)).to.equal(bits);
      expect(encode(largest * 1.01)).to.equal(bits + 1); // infinity
      expect(encode(Number.POSITIVE_INFINITY)).to.equal(bits + 1);
      expect(numbers(tensor([Number.NaN], [1], { dtype }))[0]).to.be.NaN;
    });
  }

  it('a shape is read once: what was checked is what the tensor has', () => {
    let looks = 0;
    const get = (target: number[], name: string | symbol): unknown =>
      name === '0' && ++looks > 1 ? 2 ** 28 : Reflect.get(target, name);
    const t = tensor(new Float32Array(1), new Proxy([1], { get }));
    expect([t.shape, t.arraySync()]).to.deep.equal([[1], [0]]);
  });
});
