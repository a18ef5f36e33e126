// Every example of the README, the guides and of a docstring runs, type-checks, and prints what it says.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import * as culoss from 'culoss';
import ts from 'typescript';
import { tables } from './options.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

interface Example {
  title: string;
  code: string;
}

/** The fenced blocks of JavaScript in a text. */
function blocksOf(text: string, title: string): Example[] {
  const blocks = [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)];
  return blocks.map(([, code], i) => ({ title: `${title} ${i + 1}`, code: code as string }));
}

function examples(): Example[] {
  const sources = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(`${root}lib/${file}`, 'utf8');
      const comments = text.match(/\/\*\*[\s\S]*?\*\//g) ?? [];
      const plain = comments.map((comment) => comment.replace(/^ *\* ?/gm, ''));
      return plain.flatMap((comment) => blocksOf(comment, `lib/${file}`));
    });
  const guides = readdirSync(`${root}docs`).map((file) => `docs/${file}`);
  const texts = ['README.md', ...guides].flatMap((file) =>
    blocksOf(readFileSync(`${root}${file}`, 'utf8'), file),
  );
  return [...texts, ...sources];
}

/** What the comments behind `console.log(…)` say is printed. */
function promisedOutput(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text as string);
}

const folder = `${root}out/examples`;
mkdirSync(folder, { recursive: true });
const files = examples().map((example, i) => {
  const file = `${folder}/example-${i}.mts`;
  writeFileSync(file, example.code);
  return { ...example, file };
});

describe('docs', () => {
  for (const { title, code, file } of files) {
    it(`${title} prints what it says`, async () => {
      const script = file.replace('.mts', '.mjs');
      writeFileSync(script, code);
      const { stdout } = await run(process.execPath, [script], { cwd: root });
      const promised = promisedOutput(code);
      expect(stdout.trimEnd().split('\n')).to.deep.equal(promised.length ? promised : ['']);
    });
  }

  it('the losses of the guide on migration can be made', () => {
    const guide = readFileSync(`${root}docs/migrating.md`, 'utf8');
    const made = [...guide.matchAll(/^\|.*\| `(new \w+\([^`]*)`/gm)].map(([, code = '']) => code);
    expect(made.length).to.be.greaterThan(10);
    for (const code of made) {
      const names = Object.keys(culoss);
      const make = new Function(...names, 'w', `return ${code}`);
      expect(() => make(...Object.values(culoss), [1, 2]), code).not.to.throw();
    }
  });

  it('every example type-checks', () => {
    const program = ts.createProgram(
      // The typings of TensorFlow.js ask for casts that JavaScript does without.
      files.filter(({ code }) => !code.includes('@tensorflow')).map(({ file }) => file),
      {
        // As the editor of a JavaScript user checks them: no annotations are asked for.
        strict: true,
        noImplicitAny: false,
        useUnknownInCatchVariables: false,
        skipLibCheck: true, // TensorFlow.js wants the library of a browser
        noEmit: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
        types: ['node'],
      },
    );
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map((d) => `${d.file?.fileName}: ${ts.flattenDiagnosticMessageText(d.messageText, '\n')}`);
    expect(messages).to.deep.equal([]);
  });

  it('the tables of options in the README are those of the tests', () => {
    const file = `${root}README.md`;
    const readme = readFileSync(file, 'utf8');
    const made = Object.entries(tables).reduce((text, [name, table]) => {
      const place = new RegExp(`(<!-- ${name} -->\\n)[^]*(<!-- /${name} -->)`);
      return text.replace(place, (_, begin, end) => `${begin}${table}\n${end}`);
    }, readme);
    if (process.env.UPDATE_README === '1') writeFileSync(file, made);
    else expect(readme, 'UPDATE_README=1 npx mocha -g README writes them').to.equal(made);
  });

  it('every public class, function and constant has an example', () => {
    const index = readFileSync(`${root}lib/index.mts`, 'utf8');
    const names = (/export \{([^}]*)\}/.exec(index)?.[1] ?? '').split(',').map((n) => n.trim());
    const shown = (name: string): boolean => files.some(({ code }) => code.includes(name));
    const without = names.filter((name) => name && !shown(name));
    expect(without).to.deep.equal([]);
  });
});
