// `culoss eval`: a loss of arrays in files.
import { inspect } from 'node:util';
import {
  BinaryCrossEntropy,
  BinaryFocalLoss,
  CategoricalFocalLoss,
  type Criterion,
  type Device,
  type LossOptions,
  NegativeLogLoss,
  scope,
  type Tensor,
  tensor,
} from '../index.mjs';
import { type Flags, flagOf, gradOutputOf, helpOfFlags, lossFlags, lossOptions } from './flags.mjs';
import { json } from './json.mjs';
import { expectMemory, readNpy, sizeOfFile, writeNpy } from './npy.mjs';
import { refuseOverwriting } from './outputs.mjs';
import { progressOf } from './progress.mjs';
import { printSweep } from './sweep.mjs';
import { readOptions, UsageError } from './usage.mjs';

const losses = {
  'negative-log': NegativeLogLoss,
  'binary-cross-entropy': BinaryCrossEntropy,
  'binary-focal': BinaryFocalLoss,
  'categorical-focal': CategoricalFocalLoss,
};
type LossName = keyof typeof losses;
const names = Object.keys(losses).join(', ');

const help = `Computes a loss, and its gradient, of arrays in .npy files, as numpy.save writes them. An integer
array holds class ids, unless it has the shape of the inputs.

Usage: culoss eval <loss> --inputs <file> --targets <file> [options]

Losses:
  ${names}

Files:
  --inputs <file>                       probabilities or logits, [N, C, …]
  --targets <file>                      class ids, [N, …], or dense targets of the inputs' shape
  --sample-weight <file>                a weight per row, or per element for the binary losses
  --out <file>                          where the loss is written, if it is not one number
  --grad <file>                         where the gradient is written
  --grad-output <number or file>        the upstream gradient; 1

Options of the losses; lists have commas between their numbers, or are .npy files:
${helpOfFlags}

A grid of losses, with what each class contributes, instead of one; focal losses only:
  --sweep                               prints it
  --gammas <list>                       0,0.5,1,2,3,5
  --alphas <list>                       numbers, files with one per class, or none for no alpha
  --plot <file>                         draws it, as SVG; needs the package echarts

Others:
  --device <device>                     cpu, cuda or cuda:<index>; cpu
  --json                                one object on stdout
  -h, --help                            this text

Exits with 1 if the loss cannot be computed, with 2 for arguments that are wrong.

Examples:
  npx culoss eval binary-focal --inputs p.npy --targets y.npy --alpha 0.25
  npx culoss eval categorical-focal --inputs x.npy --targets y.npy --from logits --grad g.npy --json
  npx culoss eval binary-focal --inputs p.npy --targets y.npy --sweep --alphas none,0.25,0.75`;

export async function run([first = '', ...rest]: readonly string[]): Promise<void> {
  const isLoss = first !== '' && !first.startsWith('-');
  const options = readOptions(isLoss ? rest : [first, ...rest].filter((arg) => arg !== ''), {
    inputs: { type: 'string' },
    targets: { type: 'string' },
    'sample-weight': { type: 'string' },
    out: { type: 'string' },
    grad: { type: 'string' },
    'grad-output': { type: 'string' },
    ...lossFlags,
    sweep: { type: 'boolean', default: false },
    gammas: { type: 'string' },
    alphas: { type: 'string' },
    plot: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (options.help) return console.log(help);
  if (!isLoss) throw new UsageError(`expected a loss, one of ${names}`);
  if (!Object.hasOwn(losses, first)) {
    throw new UsageError(`unknown loss '${first}', expected one of ${names}`);
  }
  try {
    await scope(() => evaluate(first as LossName, options as Flags));
  } catch (error) {
    throw withFlags(error);
  }
}

/** The arrays of a call. */
export interface Arrays {
  inputs: Tensor;
  targets: Tensor;
  sampleWeight: Tensor | undefined;
}

async function evaluate(name: LossName, flags: Flags): Promise<void> {
  refuseUnused(flags);
  refuseOverwriting(flags);
  const files = ['inputs', 'targets', 'sample-weight'].flatMap((name) => flags[name] ?? []);
  expectMemory(files.map(String), flags.grad ? sizeOfFile(`${flags.inputs}`) : 0);
  const arrays: Arrays = {
    inputs: read(flags, 'inputs'),
    targets: read(flags, 'targets'),
    sampleWeight: flags['sample-weight'] === undefined ? undefined : read(flags, 'sample-weight'),
  };
  const options = lossOptions(flags);
  if (flags.sweep) return printSweep(name, arrays, options, flags);
  const report = await compute(name, arrays, options, flags);
  console.log(flags.json ? json(report) : textOf(report));
}

/** Flags that say nothing without another one. */
function refuseUnused(flags: Flags): void {
  for (const [name, needed] of [
    ['gammas', 'sweep'],
    ['alphas', 'sweep'],
    ['plot', 'sweep'],
    ['grad-output', 'grad'],
  ] as const) {
    if (flags[name] !== undefined && !flags[needed]) {
      throw new UsageError(`--${name} goes with --${needed}`);
    }
  }
}

async function compute(name: LossName, arrays: Arrays, options: LossOptions, flags: Flags) {
  const criterion: Criterion = new losses[name](options);
  const device = flags.device as Device;
  const inputs = arrays.inputs.to(device);
  const targets = arrays.targets.to(device);
  const weights = arrays.sampleWeight && { sampleWeight: arrays.sampleWeight.to(device) };
  const { grad: gradFile, out: outFile } = flags;
  const start = performance.now();
  const { loss, grad } = gradFile
    ? await criterion.valueAndGradAsync(inputs, targets, {
        ...weights,
        ...upstreamOf(flags, device),
      })
    : { loss: await criterion.forwardAsync(inputs, targets, weights), grad: undefined };
  const values = loss.cpu(); // waits for a device
  const milliseconds = performance.now() - start;
  const shown = lossOf(values, outFile); // refused before anything is written
  if (grad) writeNpy(`${gradFile}`, '--grad', grad.cpu(), progressOf('writing the gradient'));
  if (outFile) writeNpy(`${outFile}`, '--out', values);
  return {
    name,
    loss: shown,
    shape: values.shape,
    inputs: factsOf(arrays.inputs),
    targets: factsOf(arrays.targets),
    device: inputs.device,
    milliseconds,
    out: outFile ?? null,
    grad: gradFile ?? null,
  };
}

/** Elements of a loss that are printed. */
const mostPrinted = 1000;

/** The loss as it is printed; null for what is in a file. */
function lossOf(values: Tensor, file: unknown): unknown {
  if (values.size <= mostPrinted) return values.arraySync();
  if (file !== undefined) return null;
  throw new UsageError(`the loss has ${values.size} elements, expected --out <file> for them`);
}

function upstreamOf(flags: Flags, device: Device): { gradOutput?: number | Tensor } {
  const given = flags['grad-output'];
  if (given === undefined) return {};
  const upstream = gradOutputOf(`${given}`);
  return { gradOutput: typeof upstream === 'number' ? upstream : upstream.to(device) };
}

function read(flags: Flags, name: string): Tensor {
  const path = flags[name];
  if (typeof path !== 'string') throw new UsageError(`expected --${name} <file>`);
  const { data, shape, dtype } = readNpy(path, `--${name}`, progressOf(`reading ${path}`));
  return tensor(data, shape, { dtype });
}

const factsOf = ({ shape, dtype }: Tensor) => ({ shape, dtype });

function textOf(report: Awaited<ReturnType<typeof compute>>): string {
  const { name, loss, shape, inputs, targets, device, milliseconds, out, grad } = report;
  const facts = ({ shape, dtype }: { shape: readonly number[]; dtype: string }): string =>
    `[${shape.join(', ')}] ${dtype}`;
  const [value, ofLoss] =
    shape.length === 0 ? [`${loss}`, name] : [inspect(loss), `${name} [${shape.join(', ')}]`];
  const written = [
    ...(out ? [`the loss is in ${out}`] : []),
    ...(grad ? [`the gradient is in ${grad}`] : []),
  ];
  return [
    ...(loss === null ? [] : [value]),
    `${ofLoss} of inputs ${facts(inputs)} and targets ${facts(targets)} on ${device}, ${milliseconds.toFixed(1)} ms`,
    ...written,
  ].join('\n');
}

/** An error about an argument, as one about its flag: of an option a mistake of the user's. */
function withFlags(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !code.startsWith('ERR_')) return error;
  const renamed = message
    .replace(/^options\.(\w+)/, (_, name: string) => `--${flagOf(name)}`)
    .replace(/^(inputs|targets|sampleWeight|gradOutput|device)\b/, (name) => `--${flagOf(name)}`);
  if (code === 'ERR_OPTION' || code === 'ERR_DEVICE') return new UsageError(renamed);
  return Object.assign(new Error(renamed), { code });
}
