import type * as Binding from '../binding';
import { findAddon, loadFailure } from './addon';
import { errorOf } from './errors';

/** The native addon: the one that was built here, or the prebuilt one of this platform. */
export const binding: typeof Binding = loadBinding();

function loadBinding(): typeof Binding {
  try {
    return require(findAddon().file);
  } catch (cause) {
    throw errorOf('ERR_NATIVE_LOAD', loadFailure(cause as Error), { cause });
  }
}
