// Other libraries, in a process of Python that takes one workload after the other.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Effort } from '#bench/measure.mjs';
import type { Tiles } from '#bench/numbers.mjs';
import { alpha, gamma, type Workload } from '#bench/workloads.mjs';
import type { PeerRow } from './results.mjs';

/** What peers.py takes as a line. Files hold the tiles of numbers.mts. */
export interface PeerRequest extends Workload {
  inputsFile: string;
  idsFile: string;
  sets: number;
  alpha: number;
  gamma: number;
  effort: Pick<Effort, 'milliseconds' | 'fewestPairs' | 'mostPairs'>;
  /** For tests: answers have the first gradient, too. */
  wantsGrad: boolean;
}

/** A Python that has torch: what CULOSS_PYTHON names, else the first of the usual ones. */
export function findPython(): string | null {
  const { CULOSS_PYTHON } = process.env;
  const candidates = CULOSS_PYTHON ? [CULOSS_PYTHON] : ['python3', '/usr/bin/python3'];
  const hasTorch = (python: string) => spawnSync(python, ['-c', 'import torch']).status === 0;
  return candidates.find(hasTorch) ?? null;
}

export class Peers {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'culoss-bench-'));
  versions: Record<string, string> = {};

  private constructor(python: string, script: string, device: 'cuda' | 'cpu') {
    this.#child = spawn(python, [script, '--device', device], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]();
  }

  static async start(python: string, script: string, device: 'cuda' | 'cpu'): Promise<Peers> {
    const peers = new Peers(python, script, device);
    peers.versions = (await peers.#next()) as Record<string, string>;
    return peers;
  }

  /** What every peer of a workload takes, on the same numbers. */
  async measure<R extends PeerRow>(
    workload: Workload,
    { inputs, ids }: Tiles,
    { sets, effort, wantsGrad = false }: { sets: number; effort: Effort; wantsGrad?: boolean },
  ): Promise<R[]> {
    const [inputsFile, idsFile] = [join(this.#folder, 'inputs'), join(this.#folder, 'ids')];
    writeFileSync(inputsFile, inputs);
    writeFileSync(idsFile, ids);
    const files = { inputsFile, idsFile };
    const request: PeerRequest = { ...workload, ...files, sets, alpha, gamma, effort, wantsGrad };
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const rows: R[] = [];
    for (let row = await this.#next(); !('isDone' in row); row = await this.#next()) {
      rows.push(row as R);
    }
    return rows;
  }

  async #next(): Promise<object> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process of the peers ended; what it said is above');
    return JSON.parse(value);
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
