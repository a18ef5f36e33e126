// The examples beside jax-js, onnxruntime-node and apache-arrow run, and agree with them.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const folder = fileURLToPath(new URL('../../out/scripts/examples/interop/', import.meta.url));
const outputOf = (name: string): string =>
  execFileSync(process.execPath, [`${folder}${name}.mjs`], { encoding: 'utf8' });

describe('interop', () => {
  it('jax-js trains with a loss of culoss', () => {
    const [, loss, classes] = /^loss (0\.\d+), classes (.*)$/m.exec(outputOf('jax')) ?? [];
    expect(Number(loss)).to.be.lessThan(0.01);
    expect(classes).to.equal('0 0 1 1 2 2');
  });

  it('onnxruntime-node gives its tensors as they are, and the same loss', () => {
    const [, ours, theirs, shape] =
      /^loss (\d\.\d+), of ONNX (\d\.\d+); a gradient of (.*)$/m.exec(outputOf('onnx')) ?? [];
    expect(ours).to.equal(theirs);
    expect(shape).to.equal('[4, 3]');
  });

  it('apache-arrow gives columns without a copy', () => {
    expect(outputOf('arrow')).to.match(/^loss 0\.1365, no copy, columns score label gradient$/m);
  });
});
