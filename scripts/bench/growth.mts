// How cost grows: time and memory of one call, from a thousand elements to a thousand million.
import { freemem } from 'node:os';
import { measure } from '#bench/measure.mjs';
import { tilesOf } from '#bench/numbers.mjs';
import { onCpu } from '#bench/places.mjs';
import { growing } from './cpu-workloads.mjs';
import type { Peers } from './peers.mjs';
import { type Backend, measureTfjs } from './tfjs.mjs';

export interface Point {
  elements: number;
  milliseconds: number;
  /** Beyond inputs, targets, loss and gradient; null where it is not known. */
  memoryBytes: number | null;
}

export interface Curve {
  name: string;
  points: Point[];
  /** Why there are no more points; null if the curve came to its end. */
  end: string | null;
}

/** What a peer may take for one point. */
const mostMilliseconds = 60_000;
const effort = { milliseconds: 200, fewestPairs: 3, mostPairs: 50 };

type Measured = { milliseconds: number; memoryBytes: number | null } | { missing: string };

async function curveOf(
  name: string,
  sizes: readonly number[],
  point: (elements: number) => Promise<Measured>,
): Promise<Curve> {
  const curve: Curve = { name, points: [], end: null };
  for (const elements of sizes) {
    // A step is ten times as many: what that would take is known before.
    const last = curve.points.at(-1)?.milliseconds ?? 0;
    if (10 * last > mostMilliseconds) {
      return { ...curve, end: `${power(elements)} elements would take more than 60 s` };
    }
    const measured = await point(elements);
    if ('missing' in measured) return { ...curve, end: measured.missing };
    const { milliseconds, memoryBytes } = measured;
    curve.points.push({ elements, milliseconds, memoryBytes });
    console.error(`${name}, ${power(elements)} elements: ${milliseconds.toPrecision(3)} ms`);
  }
  return curve;
}

const power = (elements: number): string => `10^${Math.round(Math.log10(elements))}`;

/** Whether so many tensors of the inputs' size are in memory at once without swapping. */
const fits = (elements: number, copies: number): boolean => 4 * elements * copies < freemem();
const tooMuch: Measured = { missing: 'needs more memory than there is' };

export async function growth(
  sizes: readonly number[],
  tfjs: readonly Backend[],
  peers: Peers | null,
): Promise<Curve[]> {
  const ours = await curveOf('culoss', sizes, async (elements) => {
    if (!fits(elements, 5)) return tooMuch; // the numbers, and two sets of inputs and gradient
    const workload = growing(elements);
    return measure(workload, tilesOf(workload), effort, { ...onCpu, moreThanCaches: 1 });
  });
  const curves = [ours];
  for (const backend of tfjs) {
    curves.push(
      await curveOf(`TensorFlow.js ${backend}`, sizes, async (elements) => {
        if (!fits(elements, 16)) return tooMuch;
        const workload = growing(elements);
        return measureTfjs(workload, tilesOf(workload), { backend, effort });
      }),
    );
  }
  if (peers !== null) {
    curves.push(
      await curveOf('PyTorch, source modules', sizes, async (elements) => {
        if (!fits(elements, 16)) return tooMuch;
        const workload = growing(elements);
        const rows = await peers.measure(workload, tilesOf(workload), { sets: 1, effort });
        return rows.find(({ peer }) => peer === 'source modules') ?? { missing: 'not there' };
      }),
    );
  }
  return curves;
}
