import { createRequire } from 'node:module';

/** Of the package that this file came with. */
export const version: string = createRequire(import.meta.url)('../../package.json').version;
