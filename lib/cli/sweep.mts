// `culoss eval --sweep`: a grid of focal losses, and what each class contributes.
import { writeFileSync } from 'node:fs';
import { type LossOptions, type Sweep, type SweepOptions, sweep } from '../index.mjs';
import type { Arrays } from './eval.mjs';
import { alphasOf, type Flags, gammasOf } from './flags.mjs';
import { json } from './json.mjs';
import { reasonOf } from './outputs.mjs';
import { UsageError } from './usage.mjs';

const focal = ['binary-focal', 'categorical-focal'];

export async function printSweep(
  name: string,
  { inputs, targets, sampleWeight }: Arrays,
  options: LossOptions,
  flags: Flags,
): Promise<void> {
  if (!focal.includes(name)) {
    throw new UsageError(`--sweep expects ${focal.join(' or ')}, got ${name}`);
  }
  for (const other of ['gamma', 'alpha']) {
    if (flags[other] !== undefined) throw new UsageError(`--sweep takes --${other}s`);
  }
  for (const other of ['grad', 'out', 'grad-output', 'device', 'reduction', 'validate']) {
    const isGiven = flags[other] !== undefined && flags[other] !== 'cpu';
    if (isGiven) throw new UsageError(`--sweep goes without --${other}`);
  }
  const { gammas, alphas, plot } = flags;
  const found = sweep(inputs, targets, {
    ...options,
    loss: name as NonNullable<SweepOptions['loss']>,
    ...(sampleWeight && { sampleWeight }),
    ...(gammas !== undefined && { gammas: gammasOf(`${gammas}`) }),
    ...(alphas !== undefined && { alphas: alphasOf(`${alphas}`) }),
  });
  if (plot !== undefined) await draw(`${plot}`, name, found);
  if (flags.json) console.log(json({ name, ...found, plot: plot ?? null }));
  else print(name, found);
}

/** ECharts is large, and few draw: it is installed by those who do. */
async function draw(file: string, name: string, found: Sweep): Promise<void> {
  const { sweepPlot } = await import('./sweep-plot.mjs').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError('--plot needs the package echarts: `npm install echarts`');
  });
  try {
    writeFileSync(file, sweepPlot(name, found));
  } catch (error) {
    throw new UsageError(`--plot ${file}: ${reasonOf(error)}`);
  }
}

/** Classes that are printed: those with the most targets. */
const mostClasses = 20;

const rounded = (number: number): number => Number(number.toPrecision(5));
export const labelOf = (alpha: Sweep['alphas'][number]): string =>
  alpha === null ? 'no alpha' : `alpha ${alpha}`;

function print(name: string, { gammas, alphas, loss, classes }: Sweep): void {
  const table = (rows: readonly (readonly [string, object])[]): void =>
    console.table(Object.fromEntries(rows));
  console.log(`${name}, mean:`);
  const cells = (row: readonly number[]): object =>
    Object.fromEntries(alphas.map((alpha, j) => [labelOf(alpha), rounded(row[j] as number)]));
  table(gammas.map((gamma, i) => [`gamma ${gamma}`, cells(loss[i] as number[])]));

  const order = classes.map((shares, c) => ({ c, ...shares }));
  order.sort((a, b) => b.positives.count - a.positives.count || a.c - b.c);
  for (const side of ['positives', 'negatives'] as const) {
    if (classes.every((shares) => shares[side].count === 0)) continue;
    const of = side === 'positives' ? 'its targets' : 'the targets of others';
    console.log(`\nwhat each class contributes by ${of}, without alpha:`);
    const parts = (losses: readonly number[]): object =>
      Object.fromEntries(
        gammas.map((gamma, i) => [`gamma ${gamma}`, rounded(losses[i] as number)]),
      );
    table(
      order.slice(0, mostClasses).map(({ c, [side]: { count, weight, loss: losses } }) => {
        return [`class ${c}`, { targets: count, weight: rounded(weight), ...parts(losses) }];
      }),
    );
  }
  const left = classes.length - mostClasses;
  if (left > 0) console.log(`and ${left} classes with fewer targets, which --json has, too`);
}
