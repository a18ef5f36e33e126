// The same function for `import` as for `require`.

export type * from './tfjs.js';
export { asTfjsLoss } from './tfjs.js';
