// Installs the packages of package-lock.json, unless they are already there.
import { existsSync, statSync } from 'node:fs';
import { run } from './run.mjs';

const installed = 'node_modules/.package-lock.json'; // npm writes it when it is done
const changed = (file) => statSync(file).mtimeMs;

if (!existsSync(installed) || changed(installed) < changed('package-lock.json')) {
  run('npm', ['ci', '--no-audit', '--no-fund']);
}
