// The event loop stays free during a long call.
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { BinaryFocalLoss, tensor } from 'culoss';
import { itUnless } from './devices.mjs';

/** The longest time in which the event loop did not come round, until what `start` began is done. */
async function longestGap(start: () => Promise<unknown>): Promise<number> {
  let [isDone, longest, last] = [false, 0, performance.now()];
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  await start();
  isDone = true;
  look();
  return longest;
}

/** Threads that do nothing but take time. */
async function spin(threads: number, milliseconds: number): Promise<unknown> {
  const script = `
    const { workerData } = require('node:worker_threads');
    const end = performance.now() + workerData;
    while (performance.now() < end);`;
  const one = (): Promise<unknown> =>
    new Promise((done) => {
      new Worker(script, { eval: true, workerData: milliseconds }).once('exit', done);
    });
  return Promise.all(Array.from({ length: threads }, one));
}

describe('event loop', () => {
  const title = 'a call of 100 million elements keeps it no longer than two threads that spin';
  itUnless(null, title, async () => {
    const [rows, columns] = [1_000_000, 100] as const;
    const x = tensor(new Float32Array(rows * columns).fill(0.3), [rows, columns]);
    const y = tensor(new Int32Array(rows), [rows]);
    const criterion = new BinaryFocalLoss();
    // Other processes take time, too, and garbage is collected: now and then, not each time.
    const gaps: [number, number][] = [];
    for (let i = 0; i < 5; i++) {
      const spinning = await longestGap(() => spin(2, 300));
      const calling = await longestGap(() => criterion.valueAndGradAsync(x, y));
      gaps.push([calling, spinning]);
      if (calling <= spinning + 5) break;
    }
    const [calling, spinning] = gaps.at(-1) as [number, number];
    expect(calling, JSON.stringify(gaps)).to.be.at.most(spinning + 5);
    return `longest gap ${calling.toFixed(1)} ms, ${spinning.toFixed(1)} beside two spinning threads`;
  });
});
