// The instruction sets of the CPU engine: what they give, and what their object code is made of.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cpu, type Isa, tensor } from 'culoss';
import { batchOf, criterionOf, lossNames } from './cases.mjs';
import { itUnless, withIsa } from './devices.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const objectOf = (isa: string) => `${root}build/CMakeFiles/loops_${isa}.dir/native/cpu/loops.cpp.o`;

const compiled = ['baseline', 'avx2', 'avx512'].filter((isa) => existsSync(objectOf(isa)));
const noTools = spawnSync('nm', ['--version']).error ? 'binutils are not installed' : null;
const noObjects =
  process.arch !== 'x64' || compiled.length === 0
    ? 'the addon was not built here for x86-64'
    : noTools;

/** The lines that a tool of binutils prints about the loops of an instruction set. */
function linesOf(tool: string, args: string[], isa: string): string[] {
  const options = { encoding: 'utf8', maxBuffer: 2 ** 30 } as const;
  return execFileSync(tool, [...args, objectOf(isa)], options).split('\n');
}

describe('instruction sets', () => {
  it('the best one is in use, and another one can be chosen, by the environment too', () => {
    expect(cpu.isa).to.equal(process.env.CULOSS_ISA ?? cpu.isas.at(-1));
    const ask = (isa: string) =>
      spawnSync(process.execPath, ['-p', "require('culoss').cpu.isa"], {
        cwd: root,
        env: { ...process.env, CULOSS_ISA: isa },
        encoding: 'utf8',
      });
    for (const isa of cpu.isas) expect(ask(isa).stdout.trim()).to.equal(isa);
    expect(ask('sse9').stderr).to.include(
      `CULOSS_ISA: expected one of ${cpu.isas.join(', ')}, got 'sse9'`,
    );
  });

  const wide = cpu.isas.filter((isa) => isa !== 'baseline');
  const why = wide.length > 1 ? null : 'this machine has one instruction set with fused products';
  const calls = lossNames.flatMap((loss) =>
    (['probabilities', 'logits'] as const).flatMap((from) =>
      [10, 1037].map((columns) => ({ loss, from, columns })),
    ),
  );
  for (const { loss, from, columns } of calls) {
    const title = `${loss} ${from}: the same bits with all that have fused products`;
    itUnless(why, `${title}, of ${columns} classes`, async () => {
      const { inputs, ids, soft } = batchOf([67, columns], from);
      for (const targets of [tensor(ids), tensor(soft)]) {
        const run = (isa: Isa) =>
          withIsa(isa, () => {
            const call = criterionOf({ loss, from }).valueAndGrad(tensor(inputs), targets);
            return [...call.loss.dataSync(), ...call.grad.dataSync()];
          });
        const first = await run(wide[0] as Isa);
        for (const isa of wide.slice(1)) expect(await run(isa), isa).to.deep.equal(first);
      }
    });
  }

  for (const isa of ['baseline', 'avx2', 'avx512']) {
    const registers = { baseline: 'xmm', avx2: 'ymm', avx512: 'zmm' }[isa] as string;

    // The linker keeps one of several functions of a name: it must not be one that the machine at
    // hand cannot run.
    itUnless(noObjects, `${isa}: its functions are its own`, () => {
      const names = linesOf('nm', ['--demangle', '--defined-only', '--extern-only'], isa)
        .map((line) => line.replace(/^\w+ \w /, ''))
        .filter((name) => name !== '' && !name.startsWith('DW.ref.'));
      expect(names).to.include(`culoss_run_${isa}`);
      const foreign = names.filter((name) => !name.includes(`culoss_${isa}::`));
      expect(foreign).to.deep.equal([`culoss_run_${isa}`]);
    });

    itUnless(noObjects, `${isa}: the loops of float go by vectors, and call nothing`, () => {
      const lines = linesOf('objdump', ['-d', '-r', '--demangle', '--no-show-raw-insn'], isa);
      const counts = new Map<string, { vector: number; calls: string[] }>();
      let current: { vector: number; calls: string[] } | undefined;
      for (const line of lines) {
        const begun = /^\w+ <(.*)>:$/.exec(line)?.[1];
        if (begun !== undefined) {
          const isLoop =
            /::(evaluate_as|add_up_negatives|evaluate|exponentiate|add_exponentials|couple)[<(]/.test(
              begun,
            );
          current =
            isLoop && !/<double,|<double>/.test(begun) ? { vector: 0, calls: [] } : undefined;
          if (current) counts.set(begun, current);
        } else if (current) {
          if (line.includes(registers) && /\b(v?mulps|vfn?m(add|sub)\d+ps)\b/.test(line)) {
            current.vector += 1;
          }
          const called = /R_X86_64_(?:PLT32|GOTPCRELX?)\s+(\w*(?:log|exp|pow)\w*)/.exec(line)?.[1];
          if (called && !called.startsWith('_ZN')) current.calls.push(called);
        }
      }
      expect(counts.size).to.be.greaterThan(20);
      for (const [name, { vector, calls }] of counts) {
        expect(vector, `vector products in ${name}`).to.be.greaterThan(0);
        expect(calls, `calls of ${name}`).to.deep.equal([]);
      }
    });
  }
});
