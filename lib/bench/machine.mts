// The processor, or the card, that a figure is of.
import { cpus, totalmem } from 'node:os';
import { cpu, cuda } from '../index.mjs';

export interface Processor {
  processor: string;
  threads: number;
  isa: string;
  memoryGigabytes: number;
}
export interface Card {
  card: string;
  computeCapability: string;
}

export const processorHere = (): Processor => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown processor',
  threads: cpu.threads,
  isa: cpu.isa,
  memoryGigabytes: Math.round(totalmem() / 2 ** 30),
});

export function cardHere(): Card {
  const { name, computeCapability } = cuda.device();
  return { card: name, computeCapability };
}
