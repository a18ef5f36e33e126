// `culoss eval`: the losses of arrays in files, as numpy has them.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BinaryFocalLoss, CategoricalFocalLoss, NegativeLogLoss, sweep, tensor } from 'culoss';
import { dump, parse } from 'npyjs';
import { findPython } from '../scripts/bench/peers.mjs';
import { itUnless, onCuda } from './devices.mjs';
import { expectClose } from './expect.mjs';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = require('../../package.json');

const p = [
  [0.9, 0.2, 0.4],
  [0.6, 0.1, 0.3],
  [0.8, 0.7, 0.5],
];
const ids = [0, 2, 1];

describe('eval', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const save = (
    name: string,
    data: Parameters<typeof dump>[0],
    shape: number[],
    dtype?: 'f2' | 'b1',
  ): void => writeFileSync(at(name), new Uint8Array(dump(data, shape, dtype ? { dtype } : {})));
  const load = (name: string) => {
    const { buffer, byteOffset, byteLength } = readFileSync(at(name));
    return parse(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  };

  function culoss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const file = `${root}${manifest.bin.culoss}`;
    return spawnSync(process.execPath, [file, 'eval', ...args], { encoding: 'utf8', cwd: folder });
  }
  function report(...args: string[]): { loss: unknown } & Record<string, unknown> {
    const { status, stdout, stderr } = culoss(...args, '--json');
    expect(status, stderr).to.equal(0);
    return JSON.parse(stdout);
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'culoss-eval-'));
    save('p.npy', Float32Array.from(p.flat()), [3, 3]);
    save('p64.npy', Float64Array.from(p.flat()), [3, 3]);
    save('y.npy', BigInt64Array.from(ids, BigInt), [3]);
    save('w.npy', Float32Array.from([1, 2, 3]), [3]);
    save('dense.npy', Float32Array.from([1, 0, 0, 0, 0, 1, 0, 1, 0]), [3, 3]);
  });
  after(() => rmSync(folder, { recursive: true }));

  const files = ['--inputs', 'p.npy', '--targets', 'y.npy'];

  it('prints a loss, and says of what', () => {
    const { status, stdout, stderr } = culoss('binary-focal', ...files, '--alpha', '0.25');
    expect(status, stderr).to.equal(0);
    const value = new BinaryFocalLoss({ alpha: 0.25 }).forward(p, ids).item();
    const facts = 'binary-focal of inputs [3, 3] float32 and targets [3] int64 on cpu, ';
    expect(stdout.startsWith(`${value}\n${facts}`), stdout).to.equal(true);
    expect(stderr).to.equal('');
  });

  it('writes the gradient, with the upstream gradient in it, and prints one object', () => {
    const options = ['--gamma', '1.5', '--alpha', '0.1,0.2,0.3', '--reduction', 'sum'];
    const more = ['--sample-weight', 'w.npy', '--grad-output', '-2.5', '--grad', 'g.npy'];
    const found = report('categorical-focal', ...files, ...options, ...more);
    const sampleWeight = [1, 2, 3];
    const criterion = new CategoricalFocalLoss({
      gamma: 1.5,
      alpha: [0.1, 0.2, 0.3],
      reduction: 'sum',
    });
    const wanted = criterion.valueAndGrad(p, ids, { sampleWeight, gradOutput: -2.5 });
    expectClose([found.loss as number], [wanted.loss.item()], { relative: 1e-7 });
    expect(found).to.deep.include({ device: 'cpu', grad: 'g.npy', out: null, shape: [] });
    const grad = load('g.npy');
    expect(grad.shape).to.deep.equal([3, 3]);
    expect(grad.data).to.deep.equal(wanted.grad.dataSync());
  });

  it('every option of the losses has a flag', () => {
    const all = [
      ...['--from', 'probabilities', '--one-hot', 'false', '--clamp', '0.01,0.95'],
      ...['--normalizer', '7', '--on-empty', 'zero', '--ignore-index', '-1', '--axis', '-1'],
      ...['--label-smoothing', '0.1', '--weight', 'w.npy', '--validate', 'eager'],
    ];
    const ofBinary = ['--pos-weight', '2', '--negatives', 'zero-targets'];
    const found = report('binary-focal', ...files, ...all, ...ofBinary);
    const criterion = new BinaryFocalLoss({
      ...{ from: 'probabilities', oneHot: false, clamp: [0.01, 0.95], normalizer: 7 },
      ...{ onEmpty: 'zero', ignoreIndex: -1, axis: -1, labelSmoothing: 0.1, weight: [1, 2, 3] },
      ...{ validate: 'eager', posWeight: 2, negatives: 'zero-targets' },
    });
    expectClose([found.loss as number], [criterion.forward(p, ids).item()], { relative: 1e-7 });
    const help = culoss('-h').stdout;
    const declared = readFileSync(`${root}lib/losses/options.ts`, 'utf8').matchAll(
      /^ {2}(\w+)\?:/gm,
    );
    for (const [, name = ''] of declared) {
      const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `;
      expect(help, name).to.include(flag);
    }
  });

  it('reads every dtype that numpy has for numbers', () => {
    const of = (targets: string, inputs = 'p.npy'): unknown =>
      report('negative-log', '--inputs', inputs, '--targets', targets).loss;
    const wanted = new NegativeLogLoss().forward(p, ids).item();
    const arrays = {
      i1: Int8Array.from(ids),
      i2: Int16Array.from(ids),
      u2: Uint16Array.from(ids),
      i4: Int32Array.from(ids),
      u4: Uint32Array.from(ids),
      u8: BigUint64Array.from(ids, BigInt),
      u1: Uint8Array.from(ids),
      f4: Float32Array.from(ids),
    };
    for (const [name, data] of Object.entries(arrays)) {
      save(`${name}.npy`, data, [3]);
      expect(of(`${name}.npy`), name).to.equal(wanted);
    }
    save('b1.npy', [1, 0, 0, 0, 0, 1, 0, 1, 0], [3, 3], 'b1');
    expect(of('b1.npy')).to.equal(wanted);
    const halves = tensor(p, undefined, { dtype: 'float16' });
    save('f2.npy', halves.dataSync(), [3, 3], 'f2');
    expect(of('y.npy', 'f2.npy')).to.equal(new NegativeLogLoss().forward(halves, ids).item());
    expect(of('y.npy', 'p64.npy')).to.equal(
      new NegativeLogLoss().forward(tensor(p, undefined, { dtype: 'float64' }), ids).item(),
    );
    const grad = ['--inputs', 'f2.npy', '--targets', 'y.npy', '--grad', 'g2.npy'];
    report('negative-log', ...grad);
    expect(load('g2.npy').dtype).to.equal('f2');
  });

  it('a loss of many numbers is printed, or written', () => {
    const options = ['--reduction', 'none', '--out', 'loss.npy'];
    const found = report('negative-log', ...files, ...options);
    const wanted = new NegativeLogLoss({ reduction: 'none' }).forward(p, ids);
    expect(found.loss).to.deep.equal(wanted.arraySync());
    expect(load('loss.npy').data).to.deep.equal(wanted.dataSync());
  });

  it('NaN is one in JSON, too', () => {
    const found = report('negative-log', ...files, '--ignore-index', '0', '--weight', '1,0,0');
    expect(found.loss).to.equal('NaN');
  });

  it('sweeps a grid, prints it, and draws it', () => {
    const grid = ['--sweep', '--gammas', '0,2', '--alphas', 'none,0.25'];
    const found = report('binary-focal', ...files, ...grid, '--plot', 's.svg');
    const wanted = sweep(tensor(p), tensor(ids), { gammas: [0, 2], alphas: [null, 0.25] });
    expect(found).to.deep.include(JSON.parse(JSON.stringify(wanted)));
    const svg = readFileSync(at('s.svg'), 'utf8');
    expect(svg)
      .to.match(/^<svg[\s\S]*alpha 0\.25[\s\S]*<\/svg>\n$/)
      .and.not.to.match(/NaN|undefined/);
    const { stdout } = culoss('binary-focal', ...files, ...grid);
    expect(stdout)
      .to.match(/gamma 2 +│ 0\.\d+ +│ 0\.\d+ +│/)
      .and.to.match(/class 2 +│ 1 +│ 1 +│/);
  });

  it('refuses mistakes in one line', () => {
    writeFileSync(at('text.npy'), 'no array at all');
    writeFileSync(at('short.npy'), readFileSync(at('p.npy')).subarray(0, -4));
    const fortran = readFileSync(at('p.npy'), 'latin1').replace('False', 'True ');
    writeFileSync(at('fortran.npy'), fortran, 'latin1');
    writeFileSync(
      at('big.npy'),
      readFileSync(at('p.npy'), 'latin1').replace('<f4', '>f4'),
      'latin1',
    );
    const see = 'see culoss eval --help';
    for (const [args, status, message] of [
      [
        [],
        2,
        `expected a loss, one of negative-log, binary-cross-entropy, binary-focal, categorical-focal; ${see}`,
      ],
      [
        ['focal'],
        2,
        `unknown loss 'focal', expected one of negative-log, binary-cross-entropy, binary-focal, categorical-focal; ${see}`,
      ],
      [['binary-focal'], 2, `expected --inputs <file>; ${see}`],
      [['binary-focal', '--inputs', 'p.npy'], 2, `expected --targets <file>; ${see}`],
      [
        ['binary-focal', '--inputs', 'none.npy', '--targets', 'y.npy'],
        2,
        `--inputs none.npy: no such file or folder; ${see}`,
      ],
      [
        ['binary-focal', '--inputs', '.', '--targets', 'y.npy'],
        2,
        `--inputs .: is no file; ${see}`,
      ],
      [
        ['binary-focal', '--inputs', 'text.npy', '--targets', 'y.npy'],
        2,
        `--inputs text.npy: is no array that can be read: not an .npy file; ${see}`,
      ],
      [
        ['binary-focal', '--inputs', 'short.npy', '--targets', 'y.npy'],
        2,
        `--inputs short.npy: holds 8 elements, 9 of its shape (3, 3); ${see}`,
      ],
      [
        ['binary-focal', '--inputs', 'fortran.npy', '--targets', 'y.npy'],
        2,
        `--inputs fortran.npy: is in Fortran order; numpy.ascontiguousarray makes it row-major; ${see}`,
      ],
      [
        ['binary-focal', '--inputs', 'big.npy', '--targets', 'y.npy'],
        2,
        `--inputs big.npy: is no array that can be read: Unsupported dtype: >f4; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--gamma', 'two'],
        2,
        `--gamma expects a number, got 'two'; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--one-hot', 'yes'],
        2,
        `--one-hot expects true or false, got 'yes'; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--grad', 'p.npy'],
        2,
        `--grad p.npy: expected a file of its own, got that of --inputs; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--grad', 'no/g.npy'],
        2,
        `--grad no/g.npy: no such file or folder; ${see}`,
      ],
      [['binary-focal', ...files, '--frob'], 2, `Unknown option '--frob'; ${see}`],
      [
        ['negative-log', ...files, '--sweep'],
        2,
        `--sweep expects binary-focal or categorical-focal, got negative-log; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--sweep', '--grad', 'g.npy'],
        2,
        `--sweep goes without --grad; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--gamma', '-1'],
        2,
        `--gamma: expected a number from 0 to 3.4e38, got -1; ${see}`,
      ],
      [
        ['negative-log', ...files, '--gamma', '1'],
        2,
        `--gamma: expected none for a log loss, which has no such factor, got 1; ${see}`,
      ],
      [
        ['binary-focal', ...files, '--from', 'scores'],
        2,
        `--from: expected one of 'probabilities', 'logits', got 'scores'; ${see}`,
      ],
      [
        ['binary-focal', '--inputs', 'p.npy', '--targets', 'w.npy'],
        1,
        '--targets[2]: expected a class id in [0, 3), got 3',
      ],
      [
        ['binary-focal', '--inputs', 'y.npy', '--targets', 'y.npy'],
        1,
        "--inputs: expected float32, float64, float16 or bfloat16, got 'int64'",
      ],
      [['binary-focal', ...files, '--device', 'gpu'], 2, /^--device: expected/],
    ] as const) {
      const found = culoss(...args);
      const title = args.join(' ');
      if (typeof message === 'string') {
        expect(found.stderr, title).to.equal(`culoss eval: ${message}\n`);
      } else expect(found.stderr.replace('culoss eval: ', ''), title).to.match(message);
      expect(found.stdout, title).to.equal('');
      expect(found.status, title).to.equal(status);
    }
  });

  it('refuses files that do not fit in memory, before it reads them', () => {
    writeFileSync(at('huge.npy'), '');
    truncateSync(at('huge.npy'), 2 ** 41); // a hole
    const { status, stderr } = culoss('binary-focal', '--inputs', 'huge.npy', '--targets', 'y.npy');
    expect(stderr).to.match(
      /^culoss eval: 2199\d+ bytes of memory are needed, \d+ are free; evaluate parts of the files; see/,
    );
    expect(status).to.equal(2);
  });

  it('reads tens of millions of booleans', () => {
    save('b.npy', new Uint8Array(4e7), [4e7]);
    const text = readFileSync(at('b.npy'));
    text.write("'|b1'", text.indexOf("'|u1'"));
    writeFileSync(at('b.npy'), text);
    const { stderr } = culoss('binary-focal', '--inputs', 'p.npy', '--targets', 'b.npy');
    expect(stderr).to.match(/^culoss eval: --targets: expected 3 class ids, .*got \[40000000\]\n$/);
  });

  it('shows how far it is where a person looks, and ends when it fails', () => {
    const header = readFileSync(at('p.npy')).subarray(0, -36).toString('latin1');
    writeFileSync(at('long.npy'), header.replace('(3,3)', '(8,8)'), 'latin1');
    truncateSync(at('long.npy'), 3e8); // a hole
    const file = `${root}${manifest.bin.culoss}`;
    const command = `"${process.execPath}" "${file}" eval binary-focal --inputs long.npy --targets y.npy`;
    // A terminal for the command: `script` is part of util-linux.
    const shown = spawnSync('script', ['-qec', command, '/dev/null'], {
      ...{ cwd: folder, encoding: 'utf8', timeout: 60000 },
    });
    expect(shown.stdout).to.match(/reading long\.npy .* 300 of 300 MB/);
    expect(shown.stdout).to.match(/--inputs long\.npy: holds 7499\d+ elements, 64 of its shape/);
    expect(shown.status).to.equal(2);
  });

  it('a full disk is told, on stdout and for a file', () => {
    const file = `${root}${manifest.bin.culoss}`;
    const command = (args: string) => `"${process.execPath}" "${file}" eval ${args}`;
    const run = (args: string) =>
      spawnSync('sh', ['-c', command(args)], { encoding: 'utf8', cwd: folder });
    const output = run('--help > /dev/full');
    expect([output.stderr, output.status]).to.deep.equal(['culoss: stdout: no space is left\n', 1]);
    const grad = run(`binary-focal ${files.join(' ')} --grad /dev/full`);
    expect(grad.stderr).to.match(/^culoss eval: --grad \/dev\/full: no space is left; see/);
    expect(grad.status).to.equal(2);
  });

  it('overwrites no file that it reads, by whatever name', () => {
    symlinkSync(at('p.npy'), at('soft-link.npy'));
    linkSync(at('w.npy'), at('hard-link.npy'));
    for (const [args, message] of [
      [
        ['--grad', 'soft-link.npy'],
        '--grad soft-link.npy: expected a file of its own, got that of --inputs',
      ],
      [
        ['--weight', 'w.npy', '--grad', 'w.npy'],
        '--grad w.npy: expected a file of its own, got that of --weight',
      ],
      [
        ['--alpha', 'w.npy', '--out', 'hard-link.npy'],
        '--out hard-link.npy: expected a file of its own, got that of --alpha',
      ],
      [
        ['--grad', 'g.npy', '--out', './g.npy'],
        '--out ./g.npy: expected a file of its own, got that of --grad',
      ],
    ] as const) {
      const { status, stderr } = culoss('binary-focal', ...files, ...args);
      expect(stderr).to.equal(`culoss eval: ${message}; see culoss eval --help\n`);
      expect(status).to.equal(2);
    }
    const list = ['--sweep', '--alphas', 'none,w.npy', '--plot', 'w.npy'];
    expect(culoss('binary-focal', ...files, ...list).stderr).to.match(/got that of --alphas/);
    expect(load('w.npy').data).to.deep.equal(Float32Array.from([1, 2, 3]));
    for (const out of [
      ['--out', 'none'],
      ['--out', '/dev/null', '--grad', '/dev/null'],
    ]) {
      const { status, stderr } = culoss('binary-focal', ...files, '--reduction', 'none', ...out);
      expect(status, stderr).to.equal(0);
    }
  });

  it('an environment that is wrong is told in one line', () => {
    const file = `${root}${manifest.bin.culoss}`;
    const env = { ...process.env, CULOSS_NUM_THREADS: 'abc' };
    const { stderr, status } = spawnSync(process.execPath, [file, 'eval', '-h'], {
      encoding: 'utf8',
      env,
    });
    const wrong = "CULOSS_NUM_THREADS: expected a whole number from 1 to 1024, got 'abc'";
    expect(stderr).to.equal(`culoss eval: ${wrong}\n`);
    expect(status).to.equal(1);
  });

  it('ends quietly when nobody reads on', () => {
    const file = `${root}${manifest.bin.culoss}`;
    const command = `"${process.execPath}" "${file}" eval --help | head -1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(stdout).to.match(/^Computes a loss/);
    expect(stderr).to.equal('');
  });

  const python = findPython();
  itUnless(
    python ? null : 'no Python with numpy was found',
    'reads what numpy writes, and numpy what it writes',
    () => {
      const py = (code: string): string =>
        execFileSync(python as string, ['-c', `import numpy as np\n${code}`], {
          cwd: folder,
          encoding: 'utf8',
        });
      py(
        `np.save('n.npy', np.array(${JSON.stringify(p)}, dtype=np.float32)); np.save('t.npy', np.array([0, 2, 1]))`,
      );
      report('binary-focal', '--inputs', 'n.npy', '--targets', 't.npy', '--grad', 'ng.npy');
      const { grad } = new BinaryFocalLoss().valueAndGrad(p, ids);
      const read = JSON.parse(
        py("import json; g = np.load('ng.npy'); print(json.dumps([str(g.dtype), g.tolist()]))"),
      );
      expect(read).to.deep.equal(['float32', grad.arraySync()]);
    },
  );

  onCuda('computes on a device cuda:0', () => {
    const found = report('binary-focal', ...files, '--device', 'cuda:0', '--grad', 'c.npy');
    expect(found).to.deep.include({ device: 'cuda:0' });
    expectClose([found.loss as number], [new BinaryFocalLoss().forward(p, ids).item()], {
      relative: 1e-6,
    });
  });
});
