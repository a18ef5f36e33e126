// Result files: one for each card, which the README's figures are made of.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from '#bench/measure.mjs';
import type { CallRow } from '#bench/report.mjs';
import type { Workload } from '#bench/workloads.mjs';
import type { Curve } from './growth.mjs';
import { type CpuMachine, isEmulated, type Machine } from './machine.mjs';

/** What another library takes for the same work, or in words why there is no figure. */
export type PeerRow = { peer: string } & (
  | {
      milliseconds: number;
      copyMilliseconds: number;
      /** The most at once beyond inputs and targets: its gradient, too, which it makes itself. */
      memoryBytes: number | null;
      /** Its loss, which must be ours if it computes the same function. */
      value: number;
      isSame: boolean;
    }
  | { missing: string }
);

export interface MeasuredRow extends Omit<Workload, 'hasPeers'>, Measurement {
  title: string;
  /** At least so much of copy speed: the goal, where there is one. */
  budget?: number;
  peers: PeerRow[];
}
export interface Row extends MeasuredRow {
  /** From the call in JavaScript until it is enqueued. */
  enqueueMicroseconds: number;
}

interface Finished<R> {
  /** Versions of the peers. */
  peers: Record<string, string>;
  /** Whether the run came to its end. */
  isFinished: boolean;
  rows: R[];
}
export interface Result extends Machine, Finished<Row> {}
export interface CpuResult extends CpuMachine, Finished<MeasuredRow> {
  /** How the cost of one loss grows; [] where that was not asked for. */
  curves: Curve[];
  /** What one call costs by itself; absent from results that are older. */
  calls?: CallRow[];
}

/** A loss inside TensorFlow.js, beside the same of its operations. */
export interface InTfjsRow extends Pick<Workload, 'loss' | 'shape'> {
  backend: string;
  milliseconds: number;
  opsMilliseconds: number;
  /** How many times as long the operations take: the median of pairs. */
  times: number;
}
export interface InTfjsResult extends CpuMachine, Finished<InTfjsRow> {}

type AnyResult = Result | CpuResult | InTfjsResult;

/** What `main` was asked for, as far as it decides whether its figures are kept. */
export interface Request {
  isQuick: boolean;
  filter: string | undefined;
  /** A folder; that of the published results if none is given. */
  output: string | undefined;
}

/** Why the figures of a run are not written; null if they are. */
export function whyNotWritten(machine: Machine | CpuMachine, request: Request): string | null {
  if ('card' in machine && isEmulated(machine.card)) return 'an emulated device has no speed';
  if (request.isQuick) return '--quick measures nothing';
  if (request.filter !== undefined && request.output === undefined) {
    return 'a part of the workloads would replace all of them; --output names another folder';
  }
  const unknown = Object.entries(machine).filter(([, value]) => value === null);
  if (unknown.length === 0) return null;
  return `what is not known is ${unknown.map(([name]) => name).join(', ')}`;
}

export const fileOf = (card: string): string =>
  `${card
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}.json`;

export const nameOf = (result: AnyResult): string =>
  'card' in result ? result.card : `${result.processor} ${result.threads} threads`;

/** Written anew after each row, so that a run that is cut short leaves what it has. */
export function writeResult(folder: string, result: AnyResult): string {
  const file = join(folder, fileOf(nameOf(result)));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return file;
}

/** The results of a folder that came to their end. */
export function readResults<R extends AnyResult>(folder: string): R[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as R)
    .filter(({ isFinished }) => isFinished);
}

/** How far losses of the same numbers may lie apart: peers round what lies between, we do not. */
const tolerances = { float64: 1e-9, float32: 1e-4, float16: 5e-3, bfloat16: 2e-2 };

/** What peers compute otherwise than culoss: a comparison would not be fair. */
export function disagreement({ title, dtype, value, peers }: MeasuredRow): string[] {
  const tolerance = tolerances[dtype] * Math.abs(value);
  return peers.flatMap((peer) => {
    if ('missing' in peer || !peer.isSame) return [];
    if (Math.abs(peer.value - value) <= tolerance) return []; // and NaN is no agreement
    return [`${title}: the loss is ${value}, of ${peer.peer} it is ${peer.value}`];
  });
}
