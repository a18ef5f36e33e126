/** Whether leaks are reported with the place where they were made: `CULOSS_DEBUG=1`. */
const reports =
  process.env.CULOSS_DEBUG === '1'
    ? new FinalizationRegistry<string>((made) => process.emitWarning(made, 'CulossLeak'))
    : null;

/** Has a warning emitted if the garbage collector comes to `resource` before `unwatch` is called. */
export function watch(resource: object): void {
  if (reports === null) return;
  const { stack = '' } = new Error(`${resource} was never disposed. It was made`);
  reports.register(resource, stack.replace(/^Error: /, ''), resource);
}

export function unwatch(resource: object): void {
  reports?.unregister(resource);
}
