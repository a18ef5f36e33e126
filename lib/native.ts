import { join } from 'node:path';
import type * as Binding from '../binding';
import { errorOf } from './errors';

const load: (root: string) => typeof Binding = require('node-gyp-build');
const root = join(__dirname, '..');

/** The native addon: the one that was built here, or the prebuilt one of this platform. */
export const binding: typeof Binding = loadBinding();

function loadBinding(): typeof Binding {
  try {
    return load(root);
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw errorOf(
      'ERR_NATIVE_LOAD',
      `the native addon of culoss could not be loaded for ${process.platform}-${process.arch}, ` +
        `Node ${process.versions.node}: ${why}. In a checkout, \`npm ci && npm run build\` makes it.`,
      { cause },
    );
  }
}
