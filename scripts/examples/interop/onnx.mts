// onnxruntime-node: its tensors are taken as they are, and its loss operators give the same numbers.

import { NegativeLogLoss } from 'culoss';
import onnxProto from 'onnx-proto';
import * as ort from 'onnxruntime-node';

const { onnx } = onnxProto;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;

/** A model of one operator: its loss of the inputs `logits` and `labels`. */
function modelOf(opType: string, attributes: onnxProto.onnx.IAttributeProto[]): Uint8Array {
  const value = (name: string, elemType: number, dims: (string | number)[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: {
          dim: dims.map((dim) => (typeof dim === 'string' ? { dimParam: dim } : { dimValue: dim })),
        },
      },
    },
  });
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    graph: {
      name: 'loss',
      node: [{ opType, input: ['logits', 'labels'], output: ['loss'], attribute: attributes }],
      input: [value('logits', FLOAT, ['N', 'C']), value('labels', INT64, ['N'])],
      output: [value('loss', FLOAT, [])],
    },
  });
  return onnx.ModelProto.encode(model).finish();
}

const { INT, STRING } = onnx.AttributeProto.AttributeType;
const bytes = modelOf('SoftmaxCrossEntropyLoss', [
  { name: 'reduction', type: STRING, s: Buffer.from('mean') },
  { name: 'ignore_index', type: INT, i: -1 },
]);
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });

const logits = new ort.Tensor('float32', [2, -1, 0.5, 0, 3, -2, 1, 1, 1, 4, 0, 0], [4, 3]);
const labels = new ort.Tensor('int64', [0n, 2n, -1n, 1n], [4]);

const { loss: theirs } = await session.run({ logits, labels });
const criterion = new NegativeLogLoss({ from: 'logits', ignoreIndex: -1 });
const { loss, grad } = criterion.valueAndGrad(logits, labels); // { data, dims, type } is all that it takes
const gradient = new ort.Tensor('float32', grad.dataSync() as Float32Array, [...grad.shape]);
console.log(
  `loss ${loss.item().toFixed(6)}, of ONNX ${Number(theirs?.data[0]).toFixed(6)}; ` +
    `a gradient of [${gradient.dims.join(', ')}]`,
);
