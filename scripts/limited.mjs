// Runs a command for so many seconds at most, with its output kept, and shown. What it started ends
// with it: a profiler leaves the program that it watches behind otherwise.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

/** Resolves to `{ outcome: 'passed' | 'failed' | 'ran out of time' | 'not started', … }`. */
export function runLimited(command, args, { env = {}, seconds, log, show = true }) {
  const kept = createWriteStream(log, { flags: 'a' });
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a group of its own, which can be ended as a whole
    });
    let isLate = false;
    const end = () => {
      isLate = true;
      process.kill(-child.pid, 'SIGKILL');
    };
    const timer = seconds === undefined ? undefined : setTimeout(end, 1000 * seconds);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        if (show) process.stdout.write(text);
        kept.write(text);
      });
    }
    const finish = (outcome, status) => {
      clearTimeout(timer);
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      kept.end(() => resolve({ outcome, status, seconds }));
    };
    child.on('error', ({ code }) => finish('not started', code));
    child.on('close', (status) => {
      finish(isLate ? 'ran out of time' : status === 0 ? 'passed' : 'failed', status);
    });
  });
}
