// apache-arrow: columns are typed arrays, which culoss reads where they are.
import { makeTable, type Vector } from 'apache-arrow';
import { BinaryFocalLoss, tensor } from 'culoss';

const table = makeTable({
  score: new Float32Array([0.9, 0.2, 0.6, 0.1, 0.7]),
  label: new Uint8Array([1, 0, 1, 0, 0]),
});

/** The memory of a column that is one chunk without nulls: not a copy. */
function memoryOf<A extends Float32Array | Uint8Array>(column: Vector | null): A {
  const [chunk] = column?.data ?? [];
  if (column === null || column.data.length !== 1 || chunk === undefined || column.nullCount > 0) {
    throw new TypeError('expected a column of one chunk without nulls');
  }
  return chunk.values.subarray(0, chunk.length) as A;
}

const scores = memoryOf<Float32Array>(table.getChild('score'));
const labels = memoryOf<Uint8Array>(table.getChild('label'));
const inputs = tensor(scores, [scores.length, 1]); // aliases the column
const { loss, grad } = new BinaryFocalLoss({ oneHot: true }).valueAndGrad(inputs, {
  data: labels,
  shape: [labels.length, 1],
});
const withGradient = table.assign(makeTable({ gradient: grad.dataSync() as Float32Array }));
console.log(
  `loss ${loss.item().toFixed(4)}, ${inputs.dataSync().buffer === scores.buffer ? 'no copy' : 'a copy'}, ` +
    `columns ${withGradient.schema.names.join(' ')}`,
);
