// One workload: culoss and a plain copy at the same place, in turn.
import type { Tensor } from '../index.mjs';
import { type Buffers, callOf, dispose, makeBuffers, setsOf } from './buffers.mjs';
import { type Tiles, tilesOf } from './numbers.mjs';
import { type Clock, onGpu, type Place } from './places.mjs';
import { median, pairedRatio } from './statistics.mjs';
import { bytesMoved, criterionOf, type Workload } from './workloads.mjs';

export interface Measurement {
  /** Of one call, and of one copy of the inputs into the gradient's memory: medians. */
  milliseconds: number;
  copyMilliseconds: number;
  bytesMoved: number;
  /** Bytes per second as a part of the copy's: the median of paired ratios. */
  ofCopySpeed: number;
  /** The most that a call has at once beyond inputs, targets, loss and gradient; null: not known. */
  memoryBytes: number | null;
  pairs: number;
  /** The loss of the first call, which that of the peers is compared with. */
  value: number;
}

/** How much is measured: about so long, but not fewer or more pairs, unless each takes seconds. */
export interface Effort {
  milliseconds: number;
  fewestPairs: number;
  mostPairs: number;
}

export const thorough: Effort = {
  milliseconds: 500,
  fewestPairs: 15,
  mostPairs: 200,
};

export const brief: Effort = { milliseconds: 0, fewestPairs: 2, mostPairs: 2 };

/** What is timed at once is repeated for so long: launching must not count. */
const shortestMilliseconds = 2;
const mostCalls = 100;

export async function measure(
  workload: Workload,
  tiles: Tiles,
  effort: Effort,
  place: Place,
): Promise<Measurement> {
  using clock = place.clock();
  const { device } = place;
  const sets = makeBuffers(workload, tiles, { device, count: setsOf(workload, place) });
  try {
    const next = inTurn(sets);
    const call = callOf(workload);
    const copyInputs = ({ inputs, outGrad }: Buffers) => outGrad.set(inputs);
    for (const buffers of sets) call(buffers); // loads kernels, and moves alpha to the device
    const memoryBytes = await place.memoryOf(() => call(next()));
    const timing = (work: (buffers: Buffers) => void) => timer(clock, next, work);
    const [times, copies] = inPairs(timing(call), timing(copyInputs), effort);
    const copied = 2 * (sets[0] as Buffers).inputs.byteLength;
    const moved = bytesMoved(workload);
    return {
      milliseconds: median(times),
      copyMilliseconds: median(copies),
      bytesMoved: moved,
      ofCopySpeed: (moved / copied) * pairedRatio(times, copies),
      memoryBytes,
      pairs: times.length,
      value: lossAfter(call, sets[0] as Buffers),
    };
  } finally {
    dispose(sets);
  }
}

function inTurn(sets: readonly Buffers[]): () => Buffers {
  let turn = 0;
  return () => sets[turn++ % sets.length] as Buffers;
}

/** Measures one call, by as many at once as take long enough. */
function timer(clock: Clock, next: () => Buffers, work: (buffers: Buffers) => void): () => number {
  const timeOf = (calls: number): number =>
    clock.time(() => {
      for (let i = 0; i < calls; i++) work(next());
    }) / calls;
  const estimate = Math.max(timeOf(2), 1e-3);
  const calls = Math.min(Math.max(Math.ceil(shortestMilliseconds / estimate), 1), mostCalls);
  return () => timeOf(calls);
}

/** For what takes seconds: it needs fewer pairs to be told from another. */
const patienceMilliseconds = 20_000;

/** Measures both in turn. */
export function inPairs(a: () => number, b: () => number, effort: Effort): [number[], number[]] {
  const [first, second]: [number[], number[]] = [[], []];
  const start = performance.now();
  const { milliseconds, fewestPairs, mostPairs } = effort;
  const wantsMore = (): boolean => {
    const most = first.length < fewestPairs ? patienceMilliseconds : milliseconds;
    return first.length < mostPairs && performance.now() - start < most;
  };
  do {
    first.push(a());
    second.push(b());
  } while (wantsMore());
  return [first, second];
}

/** Microseconds until a call returns, while the device is behind: many calls without a wait. */
export async function enqueueTime(
  workload: Workload,
  tiles: Tiles,
  rounds: number,
): Promise<number> {
  const sets = makeBuffers(workload, tiles, { device: 'cuda:0', count: 2 });
  const next = inTurn(sets);
  const call = callOf(workload);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push(await microsecondsOf(() => call(next()), onGpu));
  }
  dispose(sets);
  return median(times);
}

/** Rounds before each that counts: it takes thousands of calls until JavaScript is compiled. */
const warmUps = 5;

/**
 * Microseconds from JavaScript to JavaScript of a call that makes its loss, and is given memory for
 * its gradient.
 */
export async function callTime(workload: Workload, place: Place, rounds: number): Promise<number> {
  const { device } = place;
  const sets = makeBuffers(workload, tilesOf(workload), { device, count: 1 });
  const { inputs, targets, outGrad } = sets[0] as Buffers;
  const criterion = criterionOf(workload);
  const losses: Tensor[] = [];
  const times: number[] = [];
  const call = () => losses.push(criterion.valueAndGrad(inputs, targets, { outGrad }).loss);
  for (let round = -warmUps * rounds; round < rounds; round++) {
    const time = await microsecondsOf(call, place);
    if (round >= 0) times.push(time);
    for (const loss of losses.splice(0)) loss.dispose();
  }
  dispose(sets);
  return median(times);
}

/** One of many that do not wait for the device. */
async function microsecondsOf(call: () => unknown, place: Place): Promise<number> {
  const calls = place.callsAtOnce;
  await place.wait();
  const started = performance.now();
  for (let i = 0; i < calls; i++) call();
  const milliseconds = performance.now() - started;
  await place.wait();
  return (1000 * milliseconds) / calls;
}

function lossAfter(call: (buffers: Buffers) => void, buffers: Buffers): number {
  call(buffers);
  return buffers.out.item();
}
