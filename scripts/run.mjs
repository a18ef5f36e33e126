// Runs a command with its output shown; ends the process if it fails.
import { spawnSync } from 'node:child_process';

export function run(command, args, env = {}) {
  const options = { stdio: 'inherit', env: { ...process.env, ...env } };
  const { status, error } = spawnSync(command, args, options);
  if (error) throw error;
  if (status !== 0) {
    console.error(`\nculoss: \`${[command, ...args].join(' ')}\` failed (exit ${status})`);
    process.exit(status ?? 1);
  }
}
