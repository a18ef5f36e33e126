// Every wrong argument, its code, its class and its message. A row is a line, however long.
import { BinaryCrossEntropy, BinaryFocalLoss, CategoricalFocalLoss, CulossError, cpu, cuda, NegativeLogLoss, Stream, Tensor, tensor } from 'culoss';

type Call = () => unknown;
export type ErrorClass = new (message: string) => Error;
type Row = [title: string, call: Call, code: string, as: ErrorClass, message: string | RegExp];

/** What the types refuse is what is tested here. */
export const wrong = (value: unknown): never => value as never;
const p23 = [
  [0.1, 0.2, 0.3],
  [0.4, 0.5, 0.6],
];
const binary = new BinaryFocalLoss();
const disposed = tensor(p23);
disposed.dispose();
const bce =
  (options: unknown): Call =>
  () =>
    new BinaryCrossEntropy(wrong(options));
const focal =
  (options: unknown): Call =>
  () =>
    new CategoricalFocalLoss(wrong(options));
const on =
  (inputs: unknown, targets: unknown, options?: unknown): Call =>
  () =>
    binary.valueAndGrad(wrong(inputs), wrong(targets), wrong(options));

const lying: Call = () => {
  const data = new Float32Array(4);
  Object.defineProperty(data, 'length', { value: 8 });
  return tensor(data, [8]);
};
class Forged extends (Tensor as unknown as new (...memory: unknown[]) => object) {
  constructor() {
    super([2 ** 28], 'float32', 'cpu', { memory: new Float32Array(1), dtype: 0, size: 1 });
  }
}

const value = RangeError;
const type = TypeError;
const machine = CulossError;

export const table: Row[] = [
  ['unknown option', bce({ gama: 2 }), 'ERR_OPTION', value, "options: expected only from, oneHot, clamp, reduction, normalizer, onEmpty, alpha, weight, ignoreIndex, labelSmoothing, axis, validate, negatives, posWeight, got 'gama'"],
  ['gamma of a log loss', bce({ gamma: 2 }), 'ERR_OPTION', value, 'options.gamma: expected none for a log loss, which has no such factor, got 2'],
  ['negatives of a categorical loss', focal({ negatives: 'complement' }), 'ERR_OPTION', value, /^options\.negatives: expected none for a categorical loss, which has no negative side, got 'complement'$/],
  ['options that are no object', bce(3), 'ERR_OPTION', type, 'options: expected an object, got 3'],
  ['options null', bce(null), 'ERR_OPTION', type, 'options: expected an object, got null'],
  ['options in a Map', bce(new Map([['gamma', 2]])), 'ERR_OPTION', type, /^options: expected an object, got Map/],
  ['weight infinite in float32', bce({ weight: [1e39] }), 'ERR_OPTION', value, 'options.weight[0]: expected a number from 0 to 3.4e38, got 1e+39'],
  ['gamma below 0', focal({ gamma: -1 }), 'ERR_OPTION', value, 'options.gamma: expected a number from 0 to 3.4e38, got -1'],
  ['gamma NaN', focal({ gamma: Number.NaN }), 'ERR_OPTION', value, 'options.gamma: expected a number from 0 to 3.4e38, got NaN'],
  ['gamma infinite', focal({ gamma: 1 / 0 }), 'ERR_OPTION', value, 'options.gamma: expected a number from 0 to 3.4e38, got Infinity'],
  ['gamma infinite in float32', focal({ gamma: 1e39 }), 'ERR_OPTION', value, 'options.gamma: expected a number from 0 to 3.4e38, got 1e+39'],
  ['gamma a string', focal({ gamma: '2' }), 'ERR_OPTION', type, "options.gamma: expected a number from 0 to 3.4e38, got '2'"],
  ['gamma null', focal({ gamma: null }), 'ERR_OPTION', type, 'options.gamma: expected a value or undefined, got null'],
  ['from unknown', bce({ from: 'scores' }), 'ERR_OPTION', value, "options.from: expected one of 'probabilities', 'logits', got 'scores'"],
  ['from a number', bce({ from: 1 }), 'ERR_OPTION', type, "options.from: expected one of 'probabilities', 'logits', got 1"],
  ['reduction unknown', bce({ reduction: 'avg' }), 'ERR_OPTION', value, "options.reduction: expected one of 'mean', 'sum', 'none', 'matrix', got 'avg'"],
  ['reduction null', bce({ reduction: null }), 'ERR_OPTION', type, /^options\.reduction: .* got null$/],
  ['onEmpty unknown', bce({ onEmpty: 'one' }), 'ERR_OPTION', value, "options.onEmpty: expected one of 'nan', 'zero', got 'one'"],
  ['negatives unknown', bce({ negatives: 'all' }), 'ERR_OPTION', value, /^options\.negatives: expected one of 'complement', 'zero-targets', got 'all'$/],
  ['oneHot a string', bce({ oneHot: 'yes' }), 'ERR_OPTION', type, "options.oneHot: expected true or false, got 'yes'"],
  ['clamp reversed', bce({ clamp: [1, 0] }), 'ERR_OPTION', value, 'options.clamp: expected [low, high] with 0 <= low < high <= 1, or null, got [1, 0]'],
  ['clamp of three', bce({ clamp: [0, 0.5, 1] }), 'ERR_OPTION', value, /^options\.clamp: /],
  ['clamp NaN', bce({ clamp: [Number.NaN, 1] }), 'ERR_OPTION', value, /^options\.clamp: /],
  ['clamp a number', bce({ clamp: 0.1 }), 'ERR_OPTION', type, /^options\.clamp: /],
  ['clamp of logits', bce({ from: 'logits', clamp: [0, 1] }), 'ERR_OPTION', value, "options.clamp: expected none with from: 'logits', which need no clamp, got [0, 1]"],
  ['alpha above 1 of a binary loss', bce({ alpha: 1.5 }), 'ERR_OPTION', value, 'options.alpha: expected a number in [0, 1], got 1.5'],
  ['alpha below 0', focal({ alpha: -0.1 }), 'ERR_OPTION', value, 'options.alpha: expected a number from 0 to 3.4e38, got -0.1'],
  ['alpha NaN in an array', focal({ alpha: [1, Number.NaN] }), 'ERR_OPTION', value, 'options.alpha[1]: expected a number from 0 to 3.4e38, got NaN'],
  ['alpha a string', bce({ alpha: 'balanced' }), 'ERR_OPTION', type, "options.alpha: expected a number in [0, 1], or one per class, got 'balanced'"],
  ['alpha null', bce({ alpha: null }), 'ERR_OPTION', type, /got null$/],
  ['alpha of integers', focal({ alpha: new Int32Array([1, 2]) }), 'ERR_DTYPE', type, "options.alpha: expected floating-point values, got 'int32'"],
  ['alpha of another length', () => new BinaryFocalLoss({ alpha: [0.1, 0.2] }).forward(p23, [0, 1]), 'ERR_SHAPE', value, 'options.alpha: expected a number or one value per class (3), got [2]'],
  ['weight a number', bce({ weight: 2 }), 'ERR_OPTION', type, 'options.weight: expected one value per class, got 2'],
  ['weight below 0', bce({ weight: [1, -1, 1] }), 'ERR_OPTION', value, 'options.weight[1]: expected a number from 0 to 3.4e38, got -1'],
  ['weight infinite', focal({ weight: [1 / 0] }), 'ERR_OPTION', value, 'options.weight[0]: expected a number from 0 to 3.4e38, got Infinity'],
  ['weight of integers', focal({ weight: new Int32Array(3) }), 'ERR_DTYPE', type, "options.weight: expected floating-point values, got 'int32'"],
  ['weight of another length', () => new BinaryFocalLoss({ weight: [1] }).forward(p23, [0, 1]), 'ERR_SHAPE', value, 'options.weight: expected one value per class (3), got [1]'],
  ['posWeight below 0', bce({ posWeight: -1 }), 'ERR_OPTION', value, 'options.posWeight: expected a number from 0 to 3.4e38, got -1'],
  ['posWeight a string', bce({ posWeight: '1' }), 'ERR_OPTION', type, "options.posWeight: expected a number from 0 to 3.4e38, or one per class, got '1'"],
  ['posWeight of another length', () => new BinaryCrossEntropy({ posWeight: [1, 2] }).forward(p23, [0, 1]), 'ERR_SHAPE', value, 'options.posWeight: expected a number or one value per class (3), got [2]'],
  ['labelSmoothing 1', focal({ labelSmoothing: 1 }), 'ERR_OPTION', value, 'options.labelSmoothing: expected a number in [0, 1), got 1'],
  ['labelSmoothing NaN', focal({ labelSmoothing: Number.NaN }), 'ERR_OPTION', value, 'options.labelSmoothing: expected a number in [0, 1), got NaN'],
  ['labelSmoothing a string', focal({ labelSmoothing: '0.1' }), 'ERR_OPTION', type, /^options\.labelSmoothing: .* got '0.1'$/],
  ['ignoreIndex fractional', focal({ ignoreIndex: 1.5 }), 'ERR_OPTION', value, 'options.ignoreIndex: expected an integer within ±(2^53 − 1), got 1.5'],
  ['ignoreIndex beyond 2^53', focal({ ignoreIndex: 2 ** 60 }), 'ERR_OPTION', value, /^options\.ignoreIndex: expected an integer/],
  ['ignoreIndex null', focal({ ignoreIndex: null }), 'ERR_OPTION', type, /^options\.ignoreIndex: .* got null$/],
  ['axis fractional', focal({ axis: 0.5 }), 'ERR_OPTION', value, 'options.axis: expected an integer within ±(2^53 − 1), got 0.5'],
  ['axis beyond the inputs', () => new BinaryFocalLoss({ axis: 2 }).forward(p23, [0, 1]), 'ERR_OPTION', value, 'options.axis: expected an axis of inputs of the shape [2, 3], got 2'],
  ['axis before the inputs', () => new BinaryFocalLoss({ axis: -3 }).forward(p23, [0, 1]), 'ERR_OPTION', value, /^options\.axis: .* got -3$/],
  ['validate unknown', bce({ validate: 'never' }), 'ERR_OPTION', value, "options.validate: expected one of 'deferred', 'eager', 'off', got 'never'"],
  ['normalizer unknown', bce({ normalizer: 'batch' }), 'ERR_OPTION', value, "options.normalizer: expected one of 'targets', 'elements', 'rows', 'positives', got 'batch'"],
  ['normalizer below 0', bce({ normalizer: -1 }), 'ERR_OPTION', value, "options.normalizer: expected 'targets', 'elements', 'rows', 'positives', 0, or a number from 3e-39 to 3.4e38, got -1"],
  ['normalizer NaN in a tensor', bce({ normalizer: [Number.NaN] }), 'ERR_OPTION', value, /^options\.normalizer\[0\]: .* got NaN$/],
  ['normalizer of two numbers', bce({ normalizer: [1, 2] }), 'ERR_SHAPE', value, 'options.normalizer: expected one number, got [2]'],
  ['normalizer true', bce({ normalizer: true }), 'ERR_OPTION', type, /^options\.normalizer: .*, or a tensor of one, got true$/],
  [
    'alpha disposed',
    () => {
      const alpha = tensor([0.1, 0.2, 0.3]);
      const criterion = new BinaryFocalLoss({ alpha });
      alpha.dispose();
      criterion.forward(p23, [0, 1]);
    },
    'ERR_DISPOSED',
    machine,
    'options.alpha: expected a tensor in use, got a disposed one',
  ],

  ['inputs missing', on(undefined, [0]), 'ERR_DTYPE', type, 'inputs: expected a tensor, nested arrays or { data, shape }, got undefined'],
  ['inputs a string', on('0.5', [0]), 'ERR_DTYPE', type, /^inputs: expected a tensor.* got '0.5'$/],
  ['inputs a function', on(() => 1, [0]), 'ERR_DTYPE', type, /^inputs: expected a tensor/],
  ['inputs of integers', on(new Int32Array(4), [0]), 'ERR_DTYPE', type, "inputs: expected float32, float64, float16 or bfloat16, got 'int32'"],
  ['inputs of one axis', on([0.1, 0.2], [0, 1]), 'ERR_SHAPE', value, 'inputs: expected a shape [N, C, …] with C of at least 1, got [2]'],
  ['inputs without classes', on({ data: new Float32Array(0), shape: [4, 0] }, [0]), 'ERR_SHAPE', value, 'inputs: expected a class axis of at least 1, got [4, 0]'],
  ['inputs ragged', on([[0.1, 0.2], [0.3]], [0, 1]), 'ERR_SHAPE', value, 'inputs[1]: expected 2 elements, as its neighbours have, got [0.3]'],
  ['inputs with a hole', on([[0.1, undefined]], [0]), 'ERR_DTYPE', type, 'inputs[0][1]: expected a number, got undefined'],
  ['inputs disposed', on(disposed, [0, 1]), 'ERR_DISPOSED', machine, 'inputs: expected a tensor in use, got a disposed one'],
  ['inputs of another shape than their data', on({ data: new Float32Array(5), shape: [2, 3] }, [0, 1]), 'ERR_SHAPE', value, 'inputs.shape: expected a shape of 5 elements, got [2, 3]'],
  ['16-bit words without a dtype', on({ data: new Uint16Array(6), shape: [2, 3] }, [0, 1]), 'ERR_DTYPE', type, /^inputs: expected the dtype 'float16' or 'bfloat16' beside a Uint16Array/],

  ['targets too few', on(p23, [0]), 'ERR_SHAPE', value, 'targets: expected 2 class ids, or dense targets of the shape [2, 3], got [1]'],
  [
    'targets of another shape',
    on(p23, [
      [0, 1],
      [1, 0],
    ]),
    'ERR_SHAPE',
    value,
    /got \[2, 2\]$/,
  ],
  ['targets disposed', on(p23, disposed), 'ERR_DISPOSED', machine, 'targets: expected a tensor in use, got a disposed one'],
  ['targets ambiguous', on([[0.5], [0.5]], tensor(new Int32Array(2), [2, 1])), 'ERR_SHAPE', value, 'targets: expected the option oneHot, because integers of this shape could be class ids or dense, got [2, 1]'],
  ['targets not one-hot', () => new NegativeLogLoss({ oneHot: true }).forward(p23, [0, 1]), 'ERR_SHAPE', value, 'targets: expected dense targets of the shape [2, 3], got [2]'],
  ['targets not ids', () => new NegativeLogLoss({ oneHot: false }).forward(p23, p23), 'ERR_SHAPE', value, 'targets: expected 2 class ids, got [2, 3]'],
  ['a class id of C', on(p23, [0, 3]), 'ERR_TARGET_RANGE', value, 'targets[1]: expected a class id in [0, 3), got 3'],
  ['a class id below 0', on(p23, new Int32Array([-1, 0])), 'ERR_TARGET_RANGE', value, 'targets[0]: expected a class id in [0, 3), got -1'],
  ['a class id beyond 2^53', on(p23, new BigInt64Array([0n, 2n ** 62n + 1n])), 'ERR_TARGET_RANGE', value, 'targets[1]: expected a class id in [0, 3), got 4611686018427387905'],
  ['a fractional class id', on(p23, [0, 1.5]), 'ERR_TARGET_RANGE', value, 'targets[1]: expected a class id in [0, 3), got 1.5'],
  ['a class id NaN', on(p23, [Number.NaN, 1]), 'ERR_TARGET_RANGE', value, 'targets[0]: expected a class id in [0, 3), got NaN'],

  ['targets of an image in another order', on([[[0.1, 0.2, 0.3]], [[0.1, 0.2, 0.3]]], { data: new Int32Array(6), shape: [3, 2] }), 'ERR_SHAPE', value, 'targets: expected class ids of the shape [2, 3], or dense targets of the shape [2, 1, 3], got [3, 2]'],
  ['sampleWeight of another shape', on(p23, [0, 1], { sampleWeight: [1, 2, 3] }), 'ERR_SHAPE', value, 'sampleWeight: expected one weight per row, the shape [2], or one per element, [2, 3], got [3]'],
  ['sampleWeight per class', on(p23, [0, 1], { sampleWeight: [[1, 2, 3]] }), 'ERR_SHAPE', value, /^sampleWeight: expected one weight per row.* got \[1, 3\]$/],
  ['sampleWeight in another order', on([[0.1, 0.2]], [0], { sampleWeight: { data: new Float32Array(1), shape: [1, 1, 1] } }), 'ERR_SHAPE', value, /^sampleWeight: /],
  ['sampleWeight a string', on(p23, [0, 1], { sampleWeight: 'balanced' }), 'ERR_DTYPE', type, /^sampleWeight: expected a tensor/],
  ['sampleWeight disposed', on(p23, [0, 1], { sampleWeight: disposed }), 'ERR_DISPOSED', machine, /^sampleWeight: /],
  ['gradOutput null', on(p23, [0, 1], { gradOutput: null }), 'ERR_OPTION', type, 'options.gradOutput: expected a value or undefined, got null'],
  ['gradOutput a string', on(p23, [0, 1], { gradOutput: '2' }), 'ERR_OPTION', type, "gradOutput: expected a number or a tensor, got '2'"],
  ['inputs of an unknown type', on({ data: new Uint8Array(6), dims: [2, 3], type: 'bool' }, [0, 1]), 'ERR_DTYPE', type, /^inputs\.type: expected one of float32, .*, got 'bool'$/],
  ['inputs with the prototype of a tensor', on(Object.create(tensor([1])), [0]), 'ERR_DTYPE', type, /^inputs: expected a tensor/],
  ['gradOutput infinite', on(p23, [0, 1], { gradOutput: 1 / 0 }), 'ERR_OPTION', value, 'gradOutput: expected a number within ±3.4e38, got Infinity'],
  ['gradOutput of another shape', on(p23, [0, 1], { gradOutput: [1, 2] }), 'ERR_SHAPE', value, 'gradOutput: expected the shape [], got [2]'],
  ['gradOutput of integers', on(p23, [0, 1], { gradOutput: new Int32Array(1) }), 'ERR_DTYPE', type, /^gradOutput: expected a floating-point dtype/],
  ['an unknown call option', on(p23, [0, 1], { grad: [] }), 'ERR_OPTION', value, "options: expected only sampleWeight, out, gradOutput, outGrad, got 'grad'"],
  ['call options that are no object', on(p23, [0, 1], 3), 'ERR_OPTION', type, 'options: expected an object, got 3'],
  ['forward with gradOutput', () => binary.forward(p23, [0, 1], wrong({ gradOutput: 1 })), 'ERR_OPTION', value, "options: expected only sampleWeight, out, got 'gradOutput'"],
  ['out of another dtype', on(p23, [0, 1], { out: tensor([1], [1], { dtype: 'float64' }) }), 'ERR_DTYPE', type, 'out: expected float32, got float64'],
  ['out of another typed array', on(p23, [0, 1], { out: new Float64Array(1) }), 'ERR_DTYPE', type, /^out: expected a tensor or a typed array of float32 to write in, got Float64Array/],
  ['out of another typed array than its dtype', on(p23, [0, 1], { out: { data: new Int32Array(1), shape: [1], dtype: 'float32' } }), 'ERR_DTYPE', type, /^out: expected a tensor or a typed array of float32 to write in/],
  ['out of another shape', on(p23, [0, 1], { out: new Float32Array(2) }), 'ERR_SHAPE', value, 'out: expected the shape [], got [2]'],
  ['outGrad of another length', on(p23, [0, 1], { outGrad: new Float32Array(5) }), 'ERR_SHAPE', value, 'outGrad: expected the shape [2, 3], got [5]'],
  ['outGrad an array', on(p23, [0, 1], { outGrad: p23 }), 'ERR_DTYPE', type, /^outGrad: expected a tensor or a typed array of float32 to write in/],
  ['outGrad disposed', on(p23, [0, 1], { outGrad: disposed }), 'ERR_DISPOSED', machine, /^outGrad: /],

  ['tensor of a string', () => tensor(wrong('abc')), 'ERR_DTYPE', type, "data: expected a tensor, nested arrays or { data, shape }, got 'abc'"],
  ['tensor of null', () => tensor(wrong(null)), 'ERR_DTYPE', type, /got null$/],
  ['tensor of a tensor', () => tensor(tensor([1])), 'ERR_DTYPE', type, 'data: expected numbers or a typed array, got Tensor float32 [1] on cpu'],
  ['tensor of Int8Array', () => tensor(new Int8Array(3)), 'ERR_DTYPE', type, /got a Int8Array$/],
  ['tensor of a DataView', () => tensor(new DataView(new ArrayBuffer(8))), 'ERR_DTYPE', type, /got a DataView$/],
  ['tensor of an unknown dtype', () => tensor([1], [1], wrong({ dtype: 'int8' })), 'ERR_DTYPE', type, "options.dtype: expected one of float32, float64, float16, bfloat16, int32, int64, uint8, got 'int8'"],
  ['tensor of a misspelt option', () => tensor([1], [1], wrong({ dtpye: 'float64' })), 'ERR_OPTION', value, "options: expected only dtype, device, shareable, got 'dtpye'"],
  ['tensor of null options', () => tensor([1], [1], wrong(null)), 'ERR_OPTION', type, 'options: expected an object, got null'],
  ['tensor of 16-bit words as float32', () => tensor(new Uint16Array(1), [1], { dtype: 'float32' }), 'ERR_DTYPE', type, /^data: expected the dtype 'float16' or 'bfloat16' beside a Uint16Array/],
  ['tensor of too many axes', () => tensor(new Float32Array(1), Array(17).fill(1)), 'ERR_SHAPE', value, /^data\.shape: expected an array of at most 16 whole numbers/],
  ['tensor of nothing, 50 million times', () => tensor(new Float32Array(0), [50000000, 0]), 'ERR_SHAPE', value, 'data.shape: expected axes beside the empty one of at most 16777216 in all, got [50000000, 0]'],
  [
    'tensor of a small array that holds itself many times',
    () => {
      let nested: unknown = 1;
      for (let axis = 0; axis < 12; axis++) nested = Array(10).fill(nested);
      tensor(wrong(nested));
    },
    'ERR_SHAPE',
    value,
    /^data: expected a typed array for more than 16777216 numbers/,
  ],
  ['tensor of a negative length', () => tensor([1], [-1, -1]), 'ERR_SHAPE', value, 'data.shape: expected an array of at most 16 whole numbers below 2^53, got [-1, -1]'],
  ['tensor of a fractional length', () => tensor([1], [0.5, 2]), 'ERR_SHAPE', value, /^data\.shape: /],
  ['tensor of a shape that is no array', () => tensor([1], wrong(1)), 'ERR_SHAPE', value, 'data.shape: expected an array of at most 16 whole numbers below 2^53, got 1'],
  [
    'tensor of endless arrays',
    () => {
      const endless: unknown[] = [];
      endless.push(endless);
      tensor(wrong(endless));
    },
    'ERR_SHAPE',
    value,
    'data: expected at most 16 levels of arrays, got more',
  ],
  ['tensor of a shape with a hole', () => tensor(new Float32Array(6), wrong(Object.assign(new Array(2), { 1: 6 }))), 'ERR_SHAPE', value, /^data\.shape: expected an array of at most 16 whole numbers/],
  ['tensor of a length beyond 2^53', () => tensor([1], [2 ** 53]), 'ERR_SHAPE', value, 'data.shape: expected an array of at most 16 whole numbers below 2^53, got [9007199254740992]'],
  ['tensor of a typed array that lies about its length', lying, 'ERR_SHAPE', value, 'data.shape: expected a shape of 4 elements, got [8]'],
  ['tensor of an object of many names', () => tensor(wrong(Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`name${i}`, i])))), 'ERR_DTYPE', type, /^data: .{0,300}…$/s],
  ['a subclass that makes its own memory', () => new Forged(), 'ERR_OPTION', type, /^new Tensor: expected a call of tensor\(\) instead/],
  ['array of too many elements', () => tensor(new Uint8Array(2 ** 24 + 1)).arraySync(), 'ERR_SHAPE', value, 'tensor.array: expected at most 16777216 elements, or a call of data() instead, got 16777217'],
  ['a device that is a symbol', () => tensor([1]).cuda(wrong(Symbol('x'))), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got Symbol(x)'],
  ['the properties of a device below 0', () => cuda.device(-1), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got -1'],
  ['the memory of a device below 0', () => cuda.memory(-1), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got -1'],
  ['the memory of a string', () => cuda.memory(wrong('0')), 'ERR_DEVICE', machine, "index: expected the index of a CUDA device, got '0'"],
  ['the peak of half a device', () => cuda.resetPeakMemory(0.5), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got 0.5'],
  ['the cache of null', () => cuda.emptyCache(wrong(null)), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got null'],
  ['tensor of numbers beside arrays', () => tensor(wrong([1, [2]])), 'ERR_SHAPE', value, 'data[1]: expected a number, as its neighbours are, got [2]'],
  ['integers that are none', () => tensor([1.5], [1], { dtype: 'int32' }), 'ERR_DTYPE', type, 'data[0]: expected a value of int32, got 1.5'],
  ['integers too large', () => tensor([256], [1], { dtype: 'uint8' }), 'ERR_DTYPE', type, 'data[0]: expected a value of uint8, got 256'],
  ['int64 that is none', () => tensor([0.5], [1], { dtype: 'int64' }), 'ERR_DTYPE', type, 'data[0]: expected a value of int64, got 0.5'],
  ['an unknown device', () => tensor([1], [1], wrong({ device: 'gpu' })), 'ERR_DEVICE', machine, "options.device: expected 'cpu', 'cuda' or 'cuda:<index>', got 'gpu'"],
  ['a device with a sign', () => tensor([1]).to(wrong('cuda:-1')), 'ERR_DEVICE', machine, /^device: /],
  ['a stream of a device below 0', () => new Stream(-1), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got -1'],
  ['a stream of a string', () => new Stream(wrong('x')), 'ERR_DEVICE', machine, "index: expected the index of a CUDA device, got 'x'"],
  ['a stream of null', () => new Stream(wrong(null)), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got null'],
  ['a graph of no work', () => cuda.graph(wrong(undefined)), 'ERR_OPTION', type, 'work: expected a function that is done when it returns, got undefined'],
  ['a graph of a tensor', () => cuda.graph(wrong(tensor([1]))), 'ERR_OPTION', type, /^work: expected a function that is done when it returns, got Tensor/],
  ['a graph of async work', () => cuda.graph(async () => 1), 'ERR_OPTION', type, 'work: expected a function that is done when it returns, got an async one'],
  ['a graph on a device below 0', () => cuda.graph(() => 1, -1), 'ERR_DEVICE', machine, 'index: expected the index of a CUDA device, got -1'],
  ['set to elements of another dtype', () => tensor([1, 2]).set(wrong(new Float64Array(2))), 'ERR_DTYPE', type, /^source: expected a tensor or a typed array of float32, got Float64Array/],
  ['set to a tensor of another dtype', () => tensor([1, 2]).set(tensor([1, 2], [2], { dtype: 'float64' })), 'ERR_DTYPE', type, "source: expected elements of float32, got 'float64'"],
  ['set to fewer elements', () => tensor([1, 2]).set(new Float32Array(1)), 'ERR_SHAPE', value, 'source: expected 2 elements, got 1'],
  ['set to a tensor of more elements', () => tensor([1, 2]).set(tensor([1, 2, 3])), 'ERR_SHAPE', value, 'source: expected 2 elements, got Tensor float32 [3] on cpu'],
  ['set to a disposed tensor', () => tensor(p23).set(disposed), 'ERR_DISPOSED', machine, /^source: /],
  ['set to numbers', () => tensor([1, 2]).set(wrong([1, 2])), 'ERR_DTYPE', type, 'source: expected a tensor or a typed array of float32, got [1, 2]'],
  ['set after dispose', () => disposed.set(new Float32Array(6)), 'ERR_DISPOSED', machine, /^tensor: /],
  ['item of many', () => tensor([1, 2]).item(), 'ERR_SHAPE', value, 'tensor.item: expected a tensor of one element, got Tensor float32 [2] on cpu'],
  ['data after dispose', () => disposed.dataSync(), 'ERR_DISPOSED', machine, 'tensor: expected a tensor in use, got a disposed one'],
  [
    'threads of 0',
    () => {
      cpu.threads = 0;
    },
    'ERR_OPTION',
    value,
    'cpu.threads: expected a whole number from 1 to 1024, got 0',
  ],
  [
    'threads a string',
    () => {
      cpu.threads = wrong('2');
    },
    'ERR_OPTION',
    type,
    /^cpu\.threads: /,
  ],
  [
    'an instruction set that no machine has',
    () => {
      cpu.isa = wrong('mmx');
    },
    'ERR_OPTION',
    value,
    /^cpu\.isa: expected one of (baseline|neon)(, \w+)*, got 'mmx'$/,
  ],
  [
    'an instruction set by number',
    () => {
      cpu.isa = wrong(512);
    },
    'ERR_OPTION',
    type,
    /^cpu\.isa: expected one of /,
  ],
];
