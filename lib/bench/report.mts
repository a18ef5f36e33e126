// The budgets of a device: each workload measured, and held against its goal.
import type { Device } from '../index.mjs';
import { budgetedWorkloads, leastOfCopySpeed, mostMicroseconds, tinyCalls } from './budgets.mjs';
import { freeMemory, smallerWhere } from './buffers.mjs';
import { type Card, cardHere, type Processor, processorHere } from './machine.mjs';
import { brief, callTime, type Measurement, measure, thorough } from './measure.mjs';
import { tilesOf } from './numbers.mjs';
import { onCpu, onGpu, type Place } from './places.mjs';
import { quick, titleOf, type Workload } from './workloads.mjs';

/** Whether a figure keeps to its budget; null where what was measured cannot tell. */
interface Verdict {
  holds: boolean | null;
}

export interface SpeedRow extends Omit<Workload, 'hasPeers'>, Measurement, Verdict {
  title: string;
  gigabytesPerSecond: number;
  /** At least so much of copy speed. */
  budget: number;
  /** The shape that has the budget, if a smaller one was measured. */
  insteadOf: readonly number[] | null;
}

export interface CallRow extends Omit<Workload, 'hasPeers'> {
  title: string;
  microseconds: number;
  /** At most so many. */
  budget: number;
}

export type DeviceReport = { device: Device } & (Processor | Card) & {
    workloads: SpeedRow[];
    calls: (CallRow & Verdict)[];
  };

/** Says what was measured as soon as it is. */
export type Progress = (line: string) => void;

export async function measureBudgets(
  device: 'cpu' | 'cuda:0',
  { isQuick, say }: { isQuick: boolean; say: Progress },
): Promise<DeviceReport> {
  const place = device === 'cpu' ? onCpu : onGpu;
  const facts = device === 'cpu' ? processorHere() : cardHere();
  const calls = await measureCalls(place, isQuick);
  for (const { title, microseconds } of calls) say(`${title}: ${microseconds.toFixed(2)} µs`);
  const free = freeMemory(place);
  const workloads: SpeedRow[] = [];
  for (const asked of budgetedWorkloads(device)) {
    const [small] = quick([asked]) as [Workload];
    const workload = isQuick ? small : smallerWhere(free, asked, place);
    const effort = isQuick ? brief : thorough;
    const measured = await measure(workload, tilesOf(workload), effort, place);
    const row = speedRow({ asked, workload, device }, measured);
    workloads.push(row);
    say(`${row.title}: ${row.ofCopySpeed.toFixed(2)} of copy speed`);
  }
  const judged = calls.map((row) => ({
    ...row,
    holds: isQuick ? null : row.microseconds <= row.budget,
  }));
  return { device, ...facts, workloads, calls: judged };
}

/** What was measured, held against the budget of what was asked for. */
export function speedRow(
  { asked, workload, device }: { asked: Workload; workload: Workload; device: Device },
  measured: Measurement,
): SpeedRow {
  const { hasPeers: _, ...kept } = workload;
  const budget = leastOfCopySpeed(asked, device);
  if (budget === undefined) throw new Error(`${titleOf(asked)} has no budget on ${device}`);
  const isWhole = titleOf(workload) === titleOf(asked);
  return {
    title: titleOf(workload),
    ...kept,
    ...measured,
    gigabytesPerSecond: measured.bytesMoved / 1e6 / measured.milliseconds,
    budget,
    holds: isWhole ? measured.ofCopySpeed >= budget : null,
    insteadOf: isWhole ? null : asked.shape,
  };
}

/** What one call of each loss costs by itself. */
export async function measureCalls(place: Place, isQuick: boolean): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  for (const workload of tinyCalls) {
    const microseconds = await callTime(workload, place, isQuick ? 2 : 30);
    const { hasPeers: _, ...kept } = workload;
    const budget = mostMicroseconds(place.device);
    rows.push({ title: titleOf(workload), ...kept, microseconds, budget });
  }
  return rows;
}
