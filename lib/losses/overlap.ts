import { Description, fail } from '../errors';
import { operandOf, Tensor } from '../tensor';

type Named = Record<string, Tensor | number | undefined>;

/** An output must not share memory with what is read while it is written, nor with the other. */
export function checkNoOverlap(outputs: Named, inputs: Named): void {
  const seen = Object.entries(inputs);
  for (const [name, output] of Object.entries(outputs)) {
    if (!(output instanceof Tensor)) continue;
    for (const [other, tensor] of seen) {
      if (tensor instanceof Tensor && overlap(output, tensor)) {
        const actual = new Description(`memory that it shares with ${other}`);
        fail('ERR_OPTION', name, 'memory of its own', actual);
      }
    }
    seen.push([name, output]);
  }
}

function overlap(a: Tensor, b: Tensor): boolean {
  const x = operandOf(a, 'tensor').memory;
  const y = operandOf(b, 'tensor').memory;
  if (!ArrayBuffer.isView(x) || !ArrayBuffer.isView(y)) return x === y;
  return (
    x.buffer === y.buffer &&
    x.byteOffset < y.byteOffset + y.byteLength &&
    y.byteOffset < x.byteOffset + x.byteLength
  );
}
