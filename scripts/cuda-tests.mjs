// The command line of mocha for the tests that say something about a device. The others look at a
// checkout with all its packages, and at the programs in it.
import { readdirSync } from 'node:fs';

const aboutTheCheckout = ['binding', 'docs', 'example', 'package', 'rebuild', 'tfjs'];

export function mochaArguments(filter) {
  const specs = readdirSync('out/test')
    .filter((file) => file.endsWith('.test.mjs'))
    .filter((file) => !aboutTheCheckout.includes(file.replace('.test.mjs', '')))
    .map((file) => `out/test/${file}`);
  const options = [
    '--no-config',
    '--fail-zero',
    '--reporter',
    './test/reporter.cjs',
    '--timeout',
    '0',
  ];
  const wanted = filter === undefined ? [] : ['-g', filter];
  return ['node_modules/mocha/bin/mocha.js', ...options, ...wanted, ...specs];
}
