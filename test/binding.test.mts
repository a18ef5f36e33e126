// binding.d.ts is the exact type of what the addon exports, and the enumerations of both sides agree.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from 'chai';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const { binding } = require('../../dist/native.js');
const { run: runCall, sweep: sweepCall } = require('../../dist/losses/call.js');
const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** What a declaration file exports as values: functions, and classes with their methods. */
function declaredValues(text: string): Record<string, string[] | 'function'> {
  const values: Record<string, string[] | 'function'> = {};
  for (const node of ts.createSourceFile('binding.d.ts', text, ts.ScriptTarget.ES2022).statements) {
    if (ts.isFunctionDeclaration(node)) values[node.name?.text ?? ''] = 'function';
    if (ts.isClassDeclaration(node)) {
      const methods = node.members.filter(ts.isMethodDeclaration);
      values[node.name?.text ?? ''] = methods.map((m) => (m.name as ts.Identifier).text).sort();
    }
  }
  return values;
}

describe('binding', () => {
  it('binding.d.ts declares what the addon exports, method by method', () => {
    const exported: Record<string, string[] | 'function'> = {};
    for (const [name, value] of Object.entries<{ prototype?: object }>(binding)) {
      const methods = value.prototype ? Object.getOwnPropertyNames(value.prototype) : [];
      const own = methods.filter((method) => method !== 'constructor').sort();
      exported[name] = own.length > 0 ? own : 'function';
    }
    expect(exported).to.deep.equal(declaredValues(read('binding.d.ts')));
  });

  it('every native function is headed by its signature in binding.d.ts', () => {
    const folder = new URL('native/addon/', root);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const heads = new Set(sources.flatMap((text) => text.match(/(?<=^ *\/\/ )\w+\(.*$/gm) ?? []));
    const text = read('binding.d.ts').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    const plain = text.match(/(?<=^export declare function )[^;]*(?=;)/gm) ?? [];
    const methods = [...text.matchAll(/^export declare class [\s\S]*?^\}/gm)].flatMap(
      ([body]) => body.match(/(?<=^ {2})\w+\([^;]*(?=;)/gm) ?? [],
    );
    expect([...new Set([...plain, ...methods])].sort()).to.deep.equal([...heads].sort());
  });

  it('the dtypes of lib/dtype.ts are those of native/core/dtype.h, in their order', () => {
    const { dtypes } = require('../../dist/dtype.js');
    const list = /enum class Dtype[^{]*\{([^}]*)\}/.exec(read('native/core/dtype.h'))?.[1];
    expect(list?.split(',').map((name) => name.trim())).to.deep.equal([...dtypes]);
  });

  it('the names of every enumeration in the addon are those of its enumerators, in their order', () => {
    const enums = [...read('native/core/call.h').matchAll(/enum class (\w+)[^{]*\{([^}]*)\}/g)];
    const declared = new Map(enums.map(([, name, list]) => [name, (list as string).split(',')]));
    const uses = [
      ...read('native/addon/criterion.cpp').matchAll(/enum_from<(\w+)>\([^{]*\{([^}]*)\}/g),
    ];
    expect(uses).to.have.length(7);
    for (const [, name, list] of uses) {
      const names = (list as string).split(',').map((text) => text.trim().replaceAll('"', ''));
      const enumerators = declared.get(name)?.map((text) => text.trim().replaceAll('_', '-'));
      expect(names, name).to.deep.equal(enumerators);
      for (const choice of names) expect(read('binding.d.ts')).to.include(`'${choice}'`);
    }
  });

  it('a call passes its numbers and operands in the positions where the addon reads them', () => {
    const enumerators = (name: string): string[] => {
      const list = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(
        read('native/addon/criterion.cpp'),
      )?.[1] as string;
      const names = list.split(',').map((text) => text.trim().slice(1)); // without the k
      return names.map((text) => text.charAt(0).toLowerCase() + text.slice(1));
    };
    const facts = enumerators('Number').slice(0, -1); // the last is where the operands begin
    const operands = enumerators('Position').slice(0, -1); // the last is how many they are
    const [ofOperands] = /^export interface Operands \{[^}]*\}/m.exec(read('binding.d.ts')) ?? [''];
    expect([...ofOperands.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)).to.deep.equal(
      operands,
    );

    const call = Object.fromEntries([
      ...facts.map((name, i) => [name, 100 + i]),
      ...operands.map((name, i) => [name, { memory: name, dtype: 200 + i, size: 300 + i }]),
    ]);
    let passed: [Float64Array, ...string[]] | undefined;
    const criterion = { run: (...given: [Float64Array, ...string[]]) => (passed = given) };
    runCall(criterion, call);
    const [given, ...memories] = passed as [Float64Array, ...string[]];
    expect(memories).to.deep.equal(operands);
    expect([...given]).to.deep.equal([
      ...facts.map((_, i) => 100 + i),
      ...operands.flatMap((_, i) => [200 + i, 300 + i]),
    ]);
  });

  it('the addon refuses what would corrupt memory, whatever TypeScript let through', () => {
    const options = {
      term: 'focal',
      sides: 'targets',
      link: 'softmax',
      reduction: 'mean',
      normalizer: 'targets',
      negatives: 'complement',
      validate: 'deferred',
      gamma: 2,
      clampLow: 0,
      clampHigh: 1,
      labelSmoothing: 0,
      valueOfEmpty: 0,
    };
    const operand = (memory: ArrayBufferView, dtype: number, size: number) => ({
      memory,
      dtype,
      size,
    });
    const call = {
      device: -1,
      outer: 2,
      columns: 3,
      inner: 1,
      inputs: operand(new Float32Array(6), 0, 6),
      targets: operand(new Int32Array(2), 4, 2),
      isDense: false,
      out: operand(new Float32Array(1), 0, 1),
    };
    const run = (changes: object) => () =>
      runCall(new binding.Criterion(options), { ...call, ...changes });
    expect(run({})).not.to.throw();
    for (const changes of [
      { outer: 3 },
      { outer: -1 },
      { outer: Number.NaN },
      { outer: 2 ** 60, columns: 2 ** 60 },
      { outer: 4503599627370496, columns: 4503599627370496 },
      { outer: 2 ** 21, columns: 2 ** 21, inner: 2 ** 21 },
      { inner: 0 },
      { inner: 2 },
      { columns: 4 },
      { columns: 0 },
      { device: 5 },
      { inputs: undefined },
      { inputs: { memory: null, dtype: 0, size: 6 } },
      { inputs: operand(new Float32Array(5), 0, 6) },
      { inputs: operand(new Float32Array(6), 99, 6) },
      { inputs: operand(new Int32Array(6), 4, 6) },
      { inputs: operand(new Uint8Array(25).subarray(1), 0, 6) },
      { inputs: { memory: {}, dtype: 0, size: 6 } },
      { inputs: { memory: new binding.Criterion(options), dtype: 0, size: 6 } },
      { targets: operand(new Int32Array(1), 4, 2) },
      { isDense: true },
      { out: operand(new Float64Array(1), 1, 1) },
      { outGrad: operand(new Float32Array(5), 0, 5) },
      { gradOutput: operand(new Float32Array(2), 0, 2) },
      { alpha: operand(new Float64Array(2), 1, 2) },
      { weight: operand(new Float64Array(2), 1, 2) },
      { posWeight: operand(new Float64Array(6), 1, 6) },
      { sampleWeight: operand(new Float64Array(6), 1, 6) },
      { sampleWeight: operand(new Float64Array(1), 1, 2) },
      { normalizer: operand(new Float64Array(2), 1, 2) },
    ]) {
      expect(run(changes), JSON.stringify(changes)).to.throw(/.+/);
    }
    for (const changes of [{ term: 'x' }, { sides: 'both' }, { link: 'sigmoid' }]) {
      const criterion = () => runCall(new binding.Criterion({ ...options, ...changes }), call);
      expect(criterion, JSON.stringify(changes)).to.throw(/.+/);
    }
    const table = new Float64Array(2 * 3 * 4);
    const sweep =
      (gammas: unknown, into: unknown, changes = {}) =>
      () =>
        sweepCall(new binding.Criterion(options), { ...call, ...changes }, gammas, into);
    expect(sweep(new Float64Array(2), table)).not.to.throw();
    for (const [gammas, into, changes] of [
      [new Float64Array(3), table],
      [new Float64Array(2), table.subarray(1)],
      [new Float64Array(0), table],
      [new Float32Array(2), table],
      [undefined, table],
      [new Float64Array(2), undefined],
      [new Float64Array(2), new Float32Array(24)],
      [new Float64Array(2), table, { inputs: operand(new Float32Array(5), 0, 6) }],
      [new Float64Array(2), table, { columns: 2 ** 52 }],
      [new Float64Array(2046), new Float64Array(0), { outer: 0, columns: 2 ** 52 }],
    ] as const) {
      expect(sweep(gammas, into, changes), JSON.stringify(changes)).to.throw(/.+/);
    }
    for (const [source, target] of [
      [new Float32Array(7), 2],
      [new Float32Array(6), 0],
      [new Float64Array(6), 2],
      [undefined, 2],
    ] as const) {
      expect(() => binding.meansOfRows(source, new Float32Array(target))).to.throw(/.+/);
      expect(() => binding.idsOfOneHot(source, new Int32Array(target))).to.throw(/.+/);
    }
    expect(() => binding.meansOfRows(new Float32Array(6), new Int32Array(2))).to.throw(/.+/);
    expect(() => binding.idsOfOneHot(new Float32Array(6), new Float32Array(2))).to.throw(/.+/);
    expect(() => new binding.Criterion()).to.throw(TypeError);
    const criterion = new binding.Criterion(options);
    for (const numbers of [undefined, {}, new Float64Array(24), new Float32Array(25)]) {
      expect(() => criterion.run(numbers)).to.throw(/.+/);
    }
    expect(() => criterion.run(new Float64Array(25))).to.throw(/.+/);
    expect(() => binding.Criterion.prototype.run.call({}, new Float64Array(25))).to.throw(/.+/);
    expect(() => new binding.DeviceMemory(0, 2 ** 53)).to.throw(/.+/);
    expect(() => binding.DeviceMemory.prototype.read.call(new Float32Array(1))).to.throw(/.+/);
    expect(() => binding.cast({}, {})).to.throw(/.+/);
    const other = new binding.Criterion(options);
    for (const method of ['read', 'write', 'dispose']) {
      const call = () => binding.DeviceMemory.prototype[method].call(other);
      expect(call, method).to.throw(TypeError, 'Illegal invocation');
    }
  });
});
