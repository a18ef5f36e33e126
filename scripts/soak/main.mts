// Calls of all kinds on several threads, all but one of which are terminated now and then, while the
// memory of the process is watched: it must stay flat.
//
//   npm run soak -- --seconds 3600 --workers 3
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { median } from 'simple-statistics';
import { memoryPlot } from '../bench/plots.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    workers: { type: 'string', default: '2' },
  },
});
const [seconds, count] = [Number(values.seconds), Number(values.workers)];
if (!(seconds > 0) || !Number.isInteger(count) || count < 2) {
  console.error('soak: expected --seconds above 0, and at least 2 --workers');
  process.exit(1);
}

/** Megabytes that the memory may grow by, and what it may grow by in addition, as a part of itself. */
const [slack, part] = [32, 0.1];

let [steps, terminated, seed] = [0, 0, 1];
const start = (): Worker =>
  new Worker(new URL('worker.mjs', import.meta.url), { workerData: seed++ })
    .on('message', (more: number) => {
      steps += more;
    })
    .on('error', (error) => {
      throw error;
    });
const stays = start();
const workers = Array.from({ length: count - 1 }, start);

const begun = performance.now();
const elapsed = (): number => (performance.now() - begun) / 1000;
const samples: [seconds: number, megabytes: number][] = [];
while (elapsed() < seconds) {
  await new Promise((done) => setTimeout(done, 100));
  samples.push([elapsed(), process.memoryUsage.rss() / 2 ** 20]);
  if (samples.length % 20 !== 0) continue;
  await workers.shift()?.terminate();
  workers.push(start());
  terminated += 1;
}
for (const worker of [stays, ...workers]) await worker.terminate();

// The first quarter fills pools and caches.
const between = (from: number, to: number): number =>
  median(
    samples.slice(from * samples.length, to * samples.length).map(([, megabytes]) => megabytes),
  );
const [early, late] = [between(0.25, 0.5), between(0.75, 1)];
mkdirSync('report', { recursive: true });
writeFileSync('report/soak.svg', memoryPlot(samples));
console.log(
  `${steps} steps on ${count} threads in ${seconds} s, ${terminated} threads terminated; ` +
    `${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} MB in the last: report/soak.svg`,
);
if (late > early * (1 + part) + slack) {
  console.error('soak: the memory grows');
  process.exit(1);
}
