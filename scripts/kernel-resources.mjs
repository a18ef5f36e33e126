// What each kernel takes of a multiprocessor, as the compiler says: registers, spills and shared
// memory, the most over its instances. Written between marks in native/cuda/README.md. Needs nvcc,
// but no GPU, and about a minute for each dtype and architecture on one core:
//
//   node scripts/kernel-resources.mjs              every architecture that is released
//   node scripts/kernel-resources.mjs --arch 90    these only; may be given more than once
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { commitOf } from './commit.mjs';

const page = 'native/cuda/README.md';
const released = ['75', '80', '86', '89', '90', '100', '120'];

/** Kernels in what `nvcc --resource-usage` prints, by their mangled names. */
export function readUsage(log) {
  const kernels = log.split(/Compiling entry function '/).slice(1);
  return kernels.map((text) => {
    const number = (pattern) => Number(pattern.exec(text)?.[1] ?? 0);
    return {
      symbol: text.slice(0, text.indexOf("'")),
      registers: number(/Used (\d+) registers/),
      stores: number(/(\d+) bytes spill stores/),
      loads: number(/(\d+) bytes spill loads/),
      shared: number(/(\d+) bytes smem/),
    };
  });
}

// What tells the instances of a kernel apart, beside the dtype: its threads, and what of the work
// each is made for.
const axes = [
  /\b(?:Lanes|Block|Cluster)<\d+>/,
  /\b(?:HardSides|UniformSides|BothSides)\b/,
  /\b(?:CrossEntropy|Square|RealPower)\b/,
  /\b(?:ClassIds|Dense|AnyTarget)\b/,
];

/** `rowwise_kernel<Lanes<8>, RealPower, ClassIds>` of a signature that says much more. */
export function nameOf(signature) {
  const plain = signature.replaceAll('(anonymous namespace)::', '').replace(/^void /, '');
  const name = /^[\w:]+/.exec(plain)?.[0].split('::').at(-1) ?? signature;
  const found = axes.map((axis) => axis.exec(plain)?.[0]).filter(Boolean);
  return found.length > 0 ? `${name}<${found.join(', ')}>` : name;
}

/** One line for each kernel and dtype: the most of all instances, for each architecture. */
export function tableOf(usages, architectures) {
  const groups = new Map();
  for (const usage of usages) {
    const key = `${usage.kernel}\t${usage.dtype}`;
    groups.set(key, [...(groups.get(key) ?? []), usage]);
  }
  const rows = [...groups].sort().map(([key, members]) => {
    const [kernel, dtype] = key.split('\t');
    const most = (name, some) => Math.max(...some.map((usage) => usage[name]));
    const cells = architectures.map((architecture) => {
      const some = members.filter((usage) => usage.architecture === architecture);
      if (some.length === 0) return '–';
      const [stores, loads] = [most('stores', some), most('loads', some)];
      const spills = stores + loads > 0 ? `, spills ${stores} + ${loads}` : '';
      return `${most('registers', some)}${spills}`;
    });
    const instances = new Set(members.map(({ symbol }) => symbol)).size;
    return [`\`${kernel}\``, dtype, instances, most('shared', members), ...cells];
  });
  const head = ['kernel', 'dtype', 'instances', 'shared', ...architectures.map((a) => `sm_${a}`)];
  const table = [head, head.map((_, i) => (i < 2 ? '---' : '--:')), ...rows];
  return table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `float32` of kernels_float32.cu; other files hold no dtype of inputs. */
const dtypeOf = (file) => /^kernels_(\w+)\.cu$/.exec(file)?.[1] ?? '–';

function compile({ file, architecture }, folder) {
  const cubin = join(folder, `${file}.${architecture}`);
  // The flags of CMakeLists.txt that change code for the device.
  const flags = ['-std=c++20', '--expt-relaxed-constexpr', '-O3', '-DNDEBUG', '--resource-usage'];
  const args = [...flags, '-cubin', `-arch=sm_${architecture}`, `native/cuda/${file}`, '-o', cubin];
  return new Promise((resolve) => {
    const child = spawn('nvcc', args);
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        log += text;
      });
    }
    child.on('close', (status) => resolve({ status, log }));
  });
}

/** Compiles all, as many at once as there are cores, the longest first. */
async function usagesOf(jobs) {
  const folder = mkdtempSync(join(tmpdir(), 'culoss-kernels-'));
  const usages = [];
  let done = 0;
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const { status, log } = await compile(job, folder);
      if (status !== 0) throw new Error(`${job.file} for sm_${job.architecture}:\n${log}`);
      const found = readUsage(log);
      usages.push(...found.map((usage) => ({ ...usage, ...job, dtype: dtypeOf(job.file) })));
      console.error(`${++done}/${jobs.length} ${job.file} for sm_${job.architecture}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, work));
  } finally {
    rmSync(folder, { recursive: true });
  }
  const symbols = usages.map(({ symbol }) => symbol).join('\n');
  const { stdout } = spawnSync('c++filt', { input: symbols, encoding: 'utf8', maxBuffer: 2 ** 28 });
  const signatures = stdout.split('\n');
  return usages.map((usage, i) => ({ ...usage, kernel: nameOf(signatures[i]) }));
}

/** The page with a new section between its marks, which a page without them gets at its end. */
export function withSection(text, section) {
  const [begin, end] = ['<!-- kernels -->', '<!-- /kernels -->'];
  const marked = `${begin}\n${section}\n${end}`;
  const place = new RegExp(`${begin}[\\s\\S]*${end}`);
  return place.test(text) ? text.replace(place, () => marked) : `${text.trimEnd()}\n\n${marked}\n`;
}

async function main() {
  const { values } = parseArgs({ options: { arch: { type: 'string', multiple: true } } });
  const architectures = values.arch ?? released;
  const version = spawnSync('nvcc', ['--version'], { encoding: 'utf8' });
  if (version.error) {
    console.error('culoss: nothing to say about kernels: nvcc is not on the path');
    process.exit(1);
  }
  const files = readdirSync('native/cuda').filter((file) =>
    /^(kernels_.*|targets)\.cu$/.test(file),
  );
  const jobs = architectures.flatMap((architecture) =>
    files.map((file) => ({ file, architecture })),
  );
  const usages = await usagesOf(jobs);
  const compiler = /release ([\d.]+)/.exec(version.stdout)?.[1] ?? 'unknown';
  const chosen = (values.arch ?? []).map((architecture) => ` --arch ${architecture}`).join('');
  const section = `What each kernel takes of a multiprocessor, the most over its instances: bytes of shared memory, and for
each architecture registers a thread, with bytes of spill stores + loads a thread if there are any.
From nvcc ${compiler}, for commit ${commitOf()}, by \`node scripts/kernel-resources.mjs${chosen}\`.

${tableOf(usages, architectures)}`;
  const text = existsSync(page) ? readFileSync(page, 'utf8') : '# The CUDA engine\n';
  writeFileSync(page, withSection(text, section));
  console.log(section);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
