// What a figure is worth nothing without: the card or processor, and all that was installed and built.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Card, cardHere, type Processor, processorHere } from '#bench/machine.mjs';

/** null: could not be found out, which keeps a result from being written. */
interface Run {
  /** With `-dirty` behind it where files were changed since. */
  commit: string | null;
  date: string;
  node: string;
  command: string;
}
export interface Machine extends Run, Card {
  driver: string | null;
  /** The CUDA compiler that built the addon. */
  toolkit: string | null;
}
export interface CpuMachine extends Run, Processor {}

/** A simulated device, for tests of this program: it has no speed. */
export const isEmulated = (card: string): boolean => card === 'emulated device';

export function machine(root: string, command: string): Machine {
  return {
    ...cardHere(),
    driver: output('nvidia-smi', ['--query-gpu=driver_version', '--format=csv,noheader']),
    toolkit: toolkitOf(`${root}build/CMakeFiles`),
    ...run(root, command),
  };
}

export function cpuMachine(root: string, command: string): CpuMachine {
  return { ...processorHere(), ...run(root, command) };
}

const run = (root: string, command: string): Run => ({
  commit: process.env.CULOSS_COMMIT || commitOf(root),
  date: new Date().toISOString().slice(0, 10),
  node: process.versions.node,
  command,
});

/** The first line that a command prints; null if there is none, or no such command. */
function output(command: string, args: string[], cwd?: string): string | null {
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8', cwd });
  return (status === 0 && stdout.split('\n')[0]?.trim()) || null;
}

function commitOf(root: string): string | null {
  return output('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], root);
}

/** CMake notes the compiler in a folder named after its own version. */
function toolkitOf(folder: string): string | null {
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  const notes = versions
    .map((version) => `${folder}/${version}/CMakeCUDACompiler.cmake`)
    .filter((file) => existsSync(file));
  const found = notes.map((file) =>
    /CMAKE_CUDA_COMPILER_VERSION "([^"]+)"/.exec(readFileSync(file, 'utf8')),
  );
  return found.at(-1)?.[1] ?? null;
}
