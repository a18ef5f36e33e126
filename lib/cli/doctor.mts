// `culoss doctor`: what works on this machine, and what would help what does not.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import addonModule, { type Addon, type Platform } from '../addon.js';
import type { CudaDevice, UnavailableReason } from '../index.mjs';
import type { CpuFacts, CudaFacts } from './probe.mjs';
import { readOptions } from './usage.mjs';
import { version } from './version.mjs';

const help = `Tells what of culoss works on this machine: versions, the native addon that is loaded and why, the
CPU engine, the driver and devices of CUDA, and what would help what is missing. Each engine computes
a loss in a process of its own, so that a crash is told, too. Exits with 0 if one of them works.

Usage: culoss doctor [options]

Options:
  --json       one object on stdout
  -h, --help   this text

Examples:
  npx culoss doctor
  npx culoss doctor --json | jq .cuda.unavailableReason`;

/** What `--json` prints. */
export interface DoctorReport {
  culoss: string;
  platform: Platform;
  /** The addon that is loaded; null if there is none. */
  addon: Addon | null;
  cpu: { works: boolean; error: string | null } & Partial<CpuFacts>;
  cuda: {
    /** Whether one of the devices does. */
    works: boolean;
    /** The version of the driver that the kernel has loaded; null if there is none. */
    driver: string | null;
    unavailableReason: UnavailableReason | null;
    devices: ({ device: string; works: boolean; error: string | null } & CudaDevice)[];
    error: string | null;
  };
}

export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options.help) return console.log(help);
  const report = examine();
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
  if (!report.cpu.works && !report.cuda.works) process.exitCode = 1;
}

function examine(): DoctorReport {
  const cpu = probe<CpuFacts>('cpu');
  const cuda = cpu.facts === null ? { facts: null, error: cpu.error } : probe<CudaFacts>('cuda');
  const { unavailableReason = null, devices = [] } = cuda.facts ?? {};
  const probed = devices.map((facts, i) => {
    const device = `cuda:${i}`;
    const { error } = probe(device);
    return { device, works: error === null, error, ...facts };
  });
  return {
    culoss: version,
    platform: addonModule.currentPlatform(),
    addon: addonOrNull(),
    cpu: { works: cpu.facts !== null, error: cpu.error, ...cpu.facts },
    cuda: {
      works: probed.some(({ works }) => works),
      driver: driverVersion(),
      unavailableReason,
      devices: probed,
      error: cuda.error,
    },
  };
}

function addonOrNull(): Addon | null {
  try {
    return addonModule.findAddon();
  } catch {
    return null; // which the probes tell of
  }
}

/** What a process of its own finds of an engine, or what became of it. */
function probe<F>(of: string): { facts: F; error: null } | { facts: null; error: string } {
  const file = fileURLToPath(new URL('./probe.mjs', import.meta.url));
  const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, [file, of], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (error) return { facts: null, error: error.message };
  if (signal) return { facts: null, error: `the process ended by ${signal}` };
  if (status !== 0) return { facts: null, error: messageOf(stderr) };
  try {
    return { facts: JSON.parse(stdout), error: null };
  } catch {
    return { facts: null, error: `it said ${stdout.slice(0, 200)}` };
  }
}

/** The error that Node reports: its message, which may have several lines, without the stack. */
function messageOf(stderr: string): string {
  const lines = stderr.split('\n');
  const first = lines.findIndex((line) => /^\w*Error\b.*: /.test(line));
  if (first < 0) return stderr.trim();
  const length = lines.slice(first).findIndex((line) => /^ {4}at /.test(line));
  const message = lines.slice(first, length < 0 ? undefined : first + length).join('\n');
  return message.replace(/^\w*Error\b[^:]*: /, '').trim();
}

function driverVersion(): string | null {
  try {
    const [, found = null] =
      /Kernel Module.*?\s(\d+\.[\d.]+)/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8')) ??
      [];
    return found;
  } catch {
    return null;
  }
}

function print({ culoss, platform, addon, cpu, cuda }: DoctorReport): void {
  const { os, arch, libc, libcVersion, node } = platform;
  console.log(`culoss ${culoss}, Node ${node}, ${os}-${arch}, ${libc} ${libcVersion}`.trimEnd());
  console.log(addon ? `addon: ${addon.file}, ${addon.why}` : 'addon: none');
  if (cpu.works) {
    console.log(
      `cpu: works, with ${cpu.isa} of ${cpu.isas?.join(', ')}, on ${threadsOf(cpu.threads)}`,
    );
  } else console.log(`cpu: does not work: ${cpu.error}`);
  const driver = `driver ${cuda.driver ?? 'none'}`;
  const reason = cuda.unavailableReason;
  if (cuda.works) console.log(`cuda: works, ${driver}`);
  else if (reason) console.log(`cuda: not available, ${driver}: ${reason.message}; ${reason.hint}`);
  else if (cpu.works) console.log(`cuda: does not work, ${driver}: ${cuda.error ?? 'see below'}`);
  for (const { device, name, computeCapability, totalMemory, works, error } of cuda.devices) {
    const facts = `${name}, compute capability ${computeCapability}, ${gigabytes(totalMemory)}`;
    console.log(`${device}: ${works ? 'works' : `does not work: ${error}`}; ${facts}`);
  }
}

const threadsOf = (count = 0): string => `${count} ${count === 1 ? 'thread' : 'threads'}`;
const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
