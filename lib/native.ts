import { join, sep } from 'node:path';
import type * as Binding from '../binding';
import { errorOf } from './errors';

const { resolve }: { resolve: (root: string) => string } = require('node-gyp-build');
const root = join(__dirname, '..');

/** The native addon: the one that was built here, or the prebuilt one of this platform. */
export const binding: typeof Binding = loadBinding();

/** The path of the addon. It is one of this package, whatever the environment says. */
function ownFile(): string {
  const file = resolve(root);
  if (file.startsWith(root + sep)) return file;
  throw new Error(`${file} is not of this package (is CULOSS_PREBUILD set?)`);
}

function loadBinding(): typeof Binding {
  try {
    return require(ownFile());
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
