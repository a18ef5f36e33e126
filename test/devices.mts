// The devices of the test table. A CUDA row without a GPU is skipped, and says why; under
// REQUIRE_CUDA=1 it fails.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { cpu, cuda, type Device, type Isa, type Tensor, tensor } from 'culoss';

const reason = cuda.unavailableReason;

/** What a test gives back is a figure, which its title then says and the summary shows. */
type Outcome = unknown;

/**
 * A test on every device, and with every instruction set of the CPU engine. Its title ends with
 * them; `cpu` alone is the best instruction set that this machine has.
 */
export function onDevices(title: string, run: (device: Device) => Outcome): void {
  itWithFigure(`${title} cpu`, () => run('cpu'));
  for (const isa of cpu.isas.slice(0, -1)) {
    itWithFigure(`${title} cpu ${isa}`, () => withIsa(isa, () => run('cpu')));
  }
  onCuda(`${title} cuda:0`, () => run('cuda:0'));
}

/** Runs something with an instruction set of the CPU engine. */
export async function withIsa<R>(isa: Isa, run: () => R): Promise<Awaited<R>> {
  const usual = cpu.isa;
  cpu.isa = isa;
  try {
    return await run();
  } finally {
    cpu.isa = usual;
  }
}

/** A test that needs a GPU. */
export function onCuda(title: string, run: () => Outcome): void {
  if (reason !== null && process.env.REQUIRE_CUDA === '1') {
    it(title, () => {
      throw new Error(`REQUIRE_CUDA=1, but ${reason.message}`);
    });
  } else itUnless(reason?.message ?? null, title, run);
}

/**
 * A test of streams. Where they are emulated it runs twice: what no event orders runs as late, and
 * then as early, as it may.
 */
export function onStreams(title: string, run: (device: Device) => unknown): void {
  onCuda(`${title} cuda:0`, async () => {
    for (const order of ['late', 'others']) {
      process.env.CULOSS_EMULATION_STREAMS = order;
      try {
        await run('cuda:0');
      } finally {
        delete process.env.CULOSS_EMULATION_STREAMS;
      }
    }
  });
}

/** Why what needs the emulated runtime is skipped; null where it is there. */
export const notEmulated =
  reason === null && cuda.device().name === 'emulated device'
    ? null
    : 'the CUDA runtime is not the emulated one';

/** What `node --expose-gc` has as `gc`. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Before live allocations are counted: what others have lost is not among them. */
export async function forgetWhatIsLost(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    collectGarbage();
    await new Promise((done) => setImmediate(done)); // finalisers run
  }
}

/** The names of the calls of the emulated runtime that `run` makes, without the choice of a device. */
export function callsOf(run: () => void): string[] {
  return emulatedIn(run).filter((name) => /^cuda(?!(Get|Set)Device$)/.test(name));
}

/** How many kernels are run by the emulated runtime, which runs them late, while `run` does. */
export function kernelsIn(run: () => void): number {
  return emulatedIn(run).filter((name) => name === 'kernel').length;
}

function emulatedIn(run: () => void): string[] {
  process.env.CULOSS_EMULATION_CALLS = '';
  try {
    run();
    return process.env.CULOSS_EMULATION_CALLS.split(' ');
  } finally {
    delete process.env.CULOSS_EMULATION_CALLS;
  }
}

/** How many allocations, streams, events and graphs are left once all that was enqueued is done. */
export async function liveOn(device: number): Promise<number> {
  tensor([0], [1], { device: `cuda:${device}` }).dispose(); // waits for the uploads
  await cuda.synchronize(device);
  await new Promise((done) => setImmediate(done)); // finalisers run
  return Number(process.env.CULOSS_EMULATION_LIVE);
}

/** A test that is skipped where there is a reason to, which its title then says. */
export function itUnless(why: string | null, title: string, run: () => Outcome): void {
  if (why === null) itWithFigure(title, run);
  else it.skip(`${title} (skipped: ${why})`);
}

function itWithFigure(title: string, run: () => Outcome): void {
  it(title, async function () {
    const figure = await run();
    if (typeof figure === 'string' && this.test) this.test.title += ` (figure: ${figure})`;
  });
}

/** The elements of a tensor of any device and dtype, in row-major order. */
export function numbers(tensor: Tensor): number[] {
  return ([tensor.arraySync()] as unknown[]).flat(Number.POSITIVE_INFINITY) as number[];
}
