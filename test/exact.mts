// The losses of hard targets and their gradients in decimal arithmetic, from the definitions alone:
// p and 1 − p as quotients of exponentials, so many digits that no cancellation reaches the 60th.
import { Decimal } from 'decimal.js';
import { isFocal, type Spec } from './reference.mjs';

const digits = 60;
// Logits of ±100 make 1 − p as small as e^−200, of which log p = log(1 − (1 − p)) loses 87 digits.
const D = Decimal.clone({ precision: digits + 100, minE: -9e15, maxE: 9e15, toExpNeg: -9 });

/** A float64 as it is: `new Decimal(x)` would take its shortest decimal form, which is another. */
function decimal(x: number): Decimal {
  let halvings = 0;
  for (; !Number.isInteger(x); x *= 2) halvings++;
  return new D(x).div(new D(2).pow(halvings));
}

export interface Exact {
  value: Decimal;
  /** By the logit, or probability, of every class of the row. */
  grad: Decimal[];
}

/** −(1 − p)^γ log p and its derivative by log p, −q^γ (1 − γ p log p / q). */
function term(
  { loss, gamma = 2 }: Spec,
  p: Decimal,
  q: Decimal,
): { value: Decimal; slope: Decimal } {
  const logP = p.ln();
  if (!isFocal(loss)) return { value: logP.neg(), slope: new D(-1) };
  const weight = q.isZero() && gamma === 0 ? new D(1) : q.pow(gamma);
  const pr = q.isZero() ? new D(1) : logP.neg().mul(p).div(q);
  return { value: weight.mul(logP).neg(), slope: weight.mul(pr.mul(gamma).add(1)).neg() };
}

/** One element of a binary loss. */
export function exactElement(spec: Spec, x: number, isPositive: boolean): Exact {
  const sign = isPositive ? 1 : -1;
  if (spec.from === 'probabilities') {
    const p = isPositive ? decimal(x) : new D(1).sub(decimal(x));
    const { value, slope } = term(spec, p, new D(1).sub(p));
    return { value, grad: [slope.mul(sign).div(p)] };
  }
  const e = decimal(-x * sign).exp();
  const p = new D(1).div(e.add(1));
  const q = e.mul(p);
  const { value, slope } = term(spec, p, q);
  return { value, grad: [slope.mul(q).mul(sign)] };
}

/** One row of a categorical loss. */
export function exactRow(spec: Spec, row: readonly number[], target: number): Exact {
  if (spec.from === 'probabilities') {
    const p = decimal(row[target] as number);
    const { value, slope } = term(spec, p, new D(1).sub(p));
    return { value, grad: row.map((_, c) => (c === target ? slope.div(p) : new D(0))) };
  }
  const e = row.map((x) => decimal(x).exp());
  const sum = (terms: Decimal[]): Decimal => terms.reduce((a, b) => a.add(b), new D(0));
  const total = sum(e);
  const q = sum(e.filter((_, c) => c !== target)).div(total);
  const { value, slope } = term(spec, (e[target] as Decimal).div(total), q);
  return {
    value,
    grad: e.map((e, c) => (c === target ? slope.mul(q) : slope.mul(e).div(total).neg())),
  };
}

/** |got − want| beyond `absolute`, over |want|. */
export function relativeError(got: number, want: Decimal, absolute: number): number {
  if (!Number.isFinite(got)) return Number.POSITIVE_INFINITY;
  const beyond = decimal(got).sub(want).abs().sub(absolute);
  return beyond.lte(0) ? 0 : beyond.div(want.abs()).toNumber();
}
