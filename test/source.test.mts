// The results of the PyTorch modules that the losses come from, computed by autograd in float64.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Device, type Dtype, tensor } from 'culoss';
import { criterionOf, floatDtypes, tolerances } from './cases.mjs';
import { numbers, onDevices } from './devices.mjs';
import { expectClose } from './expect.mjs';
import type { Spec } from './reference.mjs';

interface SourceCase {
  name: string;
  loss: string;
  options: { gamma?: number; alpha?: number };
  shape: [number, number];
  inputs: number[];
  targets: { kind: 'index' | 'dense'; data: number[] };
  expected: { loss: number; grad: number[] };
}

const fixtures = new URL('../../test/fixtures/source-losses.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(fixtures, 'utf8')) as { cases: SourceCase[] };

/** The options of ours that give what the source gives. */
function specOf({ loss, options }: SourceCase): Spec {
  const name = (loss[0] as string).toUpperCase() + loss.slice(1);
  const binary = name.startsWith('Binary') ? ({ negatives: 'zero-targets' } as const) : {};
  return { loss: name as Spec['loss'], ...options, ...binary };
}

function run(source: SourceCase, dtype: Dtype, device: Device, inputs = source.inputs) {
  const { shape, targets } = source;
  const x = tensor(inputs, shape, { dtype, device });
  const labels =
    targets.kind === 'index'
      ? tensor(new Int32Array(targets.data), [shape[0]], { device })
      : tensor(targets.data, shape, { dtype: 'float64', device });
  const { loss, grad } = criterionOf(specOf(source)).valueAndGrad(x, labels);
  return { rounded: numbers(x), loss: numbers(loss), grad: numbers(grad) };
}

describe('source', () => {
  it('has 126 results', () => expect(cases).to.have.length(126));

  for (const source of cases) {
    for (const dtype of floatDtypes) {
      onDevices(`${specOf(source).loss} source ${dtype} ${source.name}`, (device) => {
        const { rounded, loss, grad } = run(source, dtype, device);
        const { value, smallest, largest } = tolerances[dtype];
        const exact = dtype === 'float32' || dtype === 'float64';
        // Rounding the inputs to 16 bits moves a loss by more than any tolerance: compare with
        // float64 on what is left of them.
        const expected = exact ? source.expected : run(source, 'float64', 'cpu', rounded);
        expectClose(loss, [expected.loss].flat(), { relative: value });
        const relative = exact ? value : tolerances[dtype].grad;
        const stored = expected.grad.map((g) => Math.max(-largest, Math.min(g, largest)));
        expectClose(grad, stored, { relative, absolute: smallest });
      });
    }
  }
});
