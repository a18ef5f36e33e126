// What a process of its own finds of an engine, as JSON on stdout: `probe.mjs cpu`, `cuda` or `cuda:0`.
// It may crash, and its caller lives on.
import type { CudaDevice, Device, Isa, UnavailableReason } from '../index.mjs';

/** The CPU engine, after a loss that came out right. */
export interface CpuFacts {
  isa: Isa;
  isas: readonly Isa[];
  threads: number;
}

/** The CUDA devices, and why there are none. */
export interface CudaFacts {
  unavailableReason: UnavailableReason | null;
  devices: CudaDevice[];
}

const { BinaryFocalLoss, cpu, cuda, tensor } = await import('../index.mjs');

/** Throws unless a device computes a loss that is known: that of elements of probability ½. */
function checkLoss(device: Device): void {
  const half = tensor(new Float32Array(1000).fill(0.5), [500, 2]).to(device);
  const ids = tensor(new Int32Array(500), [500]).to(device);
  const { loss, grad } = new BinaryFocalLoss().valueAndGrad(half, ids);
  const wrong = Math.abs(loss.item() - Math.LN2 / 4);
  const slopes = Math.abs((grad.dataSync()[0] as number) + (0.5 + Math.LN2) / 1000);
  if (!(wrong < 1e-6 && slopes < 1e-8)) throw new Error(`a loss comes out wrong, by ${wrong}`);
}

function facts(of: string): CpuFacts | CudaFacts {
  if (of === 'cuda') {
    const devices = Array.from({ length: cuda.deviceCount() }, (_, i) => cuda.device(i));
    return { unavailableReason: cuda.unavailableReason, devices };
  }
  checkLoss(of as Device);
  return { isa: cpu.isa, isas: cpu.isas, threads: cpu.threads };
}

console.log(JSON.stringify(facts(process.argv[2] as string)));
