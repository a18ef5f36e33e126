#!/usr/bin/env node
// `culoss`: the first argument names a command, which reads the others.
import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { reasonOf } from './outputs.mjs';
import { readOptions, UsageError } from './usage.mjs';
import { version } from './version.mjs';

interface Command {
  summary: string;
  load: () => Promise<{ run: (args: readonly string[]) => Promise<void> }>;
  /** Whether it works without the native addon, and without a sound environment. */
  isAlone?: boolean;
}

/** Loaded when they are asked for: help needs no native addon. */
const commands: Record<string, Command> = {
  eval: { summary: 'a loss of arrays in .npy files', load: () => import('./eval.mjs') },
  doctor: {
    summary: 'what works on this machine',
    load: () => import('./doctor.mjs'),
    isAlone: true,
  },
  bench: { summary: 'hold this machine against the budgets', load: () => import('./bench.mjs') },
};

const help = `Fused classification losses for Node, on CUDA and on the CPU.

Usage: culoss <command> [options]

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

Options:
  -h, --help      this text; behind a command that of the command
  -v, --version   the version of culoss

Examples:
  npx culoss eval binary-focal --inputs p.npy --targets y.npy
  npx culoss doctor
  npx culoss bench --help   what it takes`;

// Unlike the usual one, this console says when its text goes nowhere.
globalThis.console = new Console({
  stdout: process.stdout,
  stderr: process.stderr,
  ignoreErrors: false,
});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  const hasReader = error.code !== 'EPIPE'; // who reads may stop before the end, as `head` does
  if (hasReader) process.stderr.write(`culoss: stdout: ${reasonOf(error)}\n`);
  process.exit(hasReader ? 1 : 0);
});

const [name, ...args] = process.argv.slice(2);
const isCommand = name !== undefined && Object.hasOwn(commands, name);
try {
  if (isCommand) await runCommand(commands[name] as Command);
  else answer();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const isUsage = error instanceof UsageError;
  if (!isUsage && code === undefined) throw error; // a mistake of culoss, which its stack tells of
  const command = isCommand ? `culoss ${name}` : 'culoss';
  console.error(
    isUsage ? `${command}: ${message}; see ${command} --help` : `${command}: ${message}`,
  );
  process.exitCode = isUsage ? 2 : 1;
}

async function runCommand({ load, isAlone = false }: Command): Promise<void> {
  // What fails here fails once, and not in each module that imports it.
  if (!isAlone) createRequire(import.meta.url)('../index.js');
  await (await load()).run(args);
}

/** What `culoss` says without a command. */
function answer(): void {
  if (name !== undefined && !name.startsWith('-')) {
    throw new UsageError(`unknown command '${name}', expected ${Object.keys(commands).join(', ')}`);
  }
  const options = readOptions(process.argv.slice(2), {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  });
  console.log(options.version ? version : help);
}
