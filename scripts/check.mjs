// The whole gate, in the order in which a mistake is cheapest: format and lint, build, types, tests.
import { run } from './run.mjs';

const steps = [
  ['format and lint', 'npm', ['run', '--silent', 'lint']],
  ['native build', 'node', ['scripts/build-native.mjs']],
  ['types', 'tsc', ['--build']],
  ['tests', 'mocha', []],
];

for (const [title, command, args] of steps) {
  console.log(`\n── ${title}`);
  run(command, args);
}
