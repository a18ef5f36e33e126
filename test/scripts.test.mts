// The programs for machines with a GPU, as far as they can be looked at without one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { nameOf, readUsage, tableOf, withSection } = await import(
  `${root}scripts/kernel-resources.mjs`
);
const { runLimited } = await import(`${root}scripts/limited.mjs`);
const { stepsOf } = await import(`${root}scripts/gpu-steps.mjs`);

/** What ptxas prints, with made-up numbers. */
const log = `
ptxas info    : Compiling entry function '_Z1aILi4EE' for 'sm_90'
ptxas info    : Function properties for _Z1aILi4EE
    16 bytes stack frame, 24 bytes spill stores, 20 bytes spill loads
ptxas info    : Used 64 registers, used 1 barriers, 16 bytes cumulative stack size, 512 bytes smem
ptxas info    : Compiling entry function '_Z1bv' for 'sm_90'
ptxas info    : Function properties for _Z1bv
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 12 registers, 400 bytes cmem[0]`;

describe('scripts', () => {
  it('kernel-resources reads what the compiler says', () => {
    expect(readUsage(log)).to.deep.equal([
      { symbol: '_Z1aILi4EE', registers: 64, stores: 24, loads: 20, shared: 512 },
      { symbol: '_Z1bv', registers: 12, stores: 0, loads: 0, shared: 0 },
    ]);
  });

  it('kernel-resources names a kernel by its function, its threads and what it is made for', () => {
    const work =
      'culoss::Rowwise<float, culoss::Focal<culoss::RealPower<float> >, culoss::ClassIds>';
    const named = [
      `void culoss::cuda::rowwise_kernel<culoss::cuda::Block<256>, ${work}, float>(int)`,
      'culoss::cuda::(anonymous namespace)::find_bad_id(long)',
    ].map(nameOf);
    expect(named).to.deep.equal(['rowwise_kernel<Block<256>, RealPower, ClassIds>', 'find_bad_id']);
  });

  it('kernel-resources shows the most of all instances, for each architecture', () => {
    const common = { kernel: 'k', dtype: 'float32', stores: 0, loads: 0, shared: 8 };
    const usages = [
      { ...common, symbol: 'a', architecture: '90', registers: 30 },
      { ...common, symbol: 'b', architecture: '90', registers: 20, stores: 4, shared: 16 },
      { ...common, symbol: 'a', architecture: '75', registers: 10 },
    ];
    expect(tableOf(usages, ['75', '90']).split('\n')).to.deep.equal([
      '| kernel | dtype | instances | shared | sm_75 | sm_90 |',
      '| --- | --- | --: | --: | --: | --: |',
      '| `k` | float32 | 2 | 16 | 10 | 30, spills 4 + 0 |',
    ]);
  });

  it('kernel-resources writes its section, and nothing else', () => {
    const first = withSection('# Title\n\ntext\n', 'one');
    expect(first).to.equal('# Title\n\ntext\n\n<!-- kernels -->\none\n<!-- /kernels -->\n');
    expect(withSection(`${first}more\n`, '$& two')).to.equal(
      first.replace('one', '$$& two').concat('more\n'),
    );
  });

  it('a step ends when its time is up, with what it has started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'culoss-limited-'));
    try {
      const log = join(folder, 'log');
      const script = 'echo begun; sleep 60 & echo $! > "$0"; wait';
      const late = await runLimited('sh', ['-c', script, join(folder, 'pid')], {
        seconds: 1,
        log,
        show: false,
      });
      expect(late.outcome).to.equal('ran out of time');
      expect(late.seconds).to.be.lessThan(30); // not those of its child
      expect(readFileSync(log, 'utf8')).to.equal('begun\n');
      const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
      const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
      expect(stdout.trim(), 'the child of the step').to.match(/^(Z.*)?$/); // gone, or a zombie
      const outcomes = [
        await runLimited('sh', ['-c', 'exit 3'], { log }),
        await runLimited('true', [], { seconds: 60, log }),
        await runLimited('no-such-command', [], { seconds: 60, log }),
      ].map(({ outcome }) => outcome);
      expect(outcomes).to.deep.equal(['failed', 'passed', 'not started']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('the steps on a GPU build for the card, and a dry run measures nothing', () => {
    const steps = stepsOf({ emulate: true, out: 'there' });
    expect(Object.keys(steps)).to.deep.equal(['build', 'test', 'bench', 'profile', 'sanitize']);
    expect(steps.build.commands[0]).to.include('-DCULOSS_CUDA_EMULATION=ON');
    expect(steps.bench.commands[0]).to.include('--quick');
    const real = stepsOf({ emulate: false, out: 'there', filter: 'Focal' });
    expect(real.build.commands[0].join(' ')).to.match(/CULOSS_CUDA=ON .*ARCHITECTURES=\d+-real/);
    expect(real.bench.commands[0]).not.to.include('--quick');
    expect(real.bench.commands[0]).to.include('Focal');
    expect(real.test.commands[0]).not.to.include('-g');
    expect(real.test.env.REQUIRE_CUDA).to.equal('1');
  });

  it('the sanitizers say why they do not run, and know their tools', () => {
    const sanitize = (...args: string[]) =>
      spawnSync(process.execPath, ['scripts/sanitize-cuda.mjs', ...args], {
        cwd: root,
        env: { ...process.env, PATH: '/nowhere' },
        encoding: 'utf8',
      });
    expect(sanitize().stderr).to.match(/nothing is checked: compute-sanitizer/);
    expect(sanitize().status).to.equal(2);
    expect(sanitize('--tool', 'nocheck').stderr).to.match(/nocheck: no tool of memcheck/);
  });
});
