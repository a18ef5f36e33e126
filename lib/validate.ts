import { fail, failType } from './errors';

/** An object of options that has none but these names, and no `null`. */
export function checkOptions(
  options: unknown,
  names: readonly string[],
  nullable: readonly string[] = [],
): void {
  // Not a Map, a Date or an array, whose contents would go unread.
  const isObject = Object.prototype.toString.call(options) === '[object Object]';
  if (typeof options !== 'object' || options === null || !isObject) {
    failType('options', 'an object', options);
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) fail('ERR_OPTION', 'options', `only ${names.join(', ')}`, name);
    if (Reflect.get(options, name) === null && !nullable.includes(name)) {
      failType(`options.${name}`, 'a value or undefined', null);
    }
  }
}
