import { readFileSync } from 'node:fs';

const root = '/sys/fs/cgroup';

/**
 * The cores that control groups grant this process: a container sees all of the machine's, but may
 * use the time of so many only. Infinity where nothing limits it. `read` returns the text of a file,
 * or undefined if there is none.
 *
 * https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max; and for version 1
 * https://docs.kernel.org/scheduler/sched-bwc.html, cpu.cfs_quota_us.
 */
export function grantedCores(read: (file: string) => string | undefined = textOf): number {
  const groups = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const quotas = groups.flatMap(([, controllers = '', ...rest]) => {
    const path = rest.join(':'); // which may have colons of its own
    if (controllers === '')
      return parentsOf(path).map((at) => quotaOf(read(`${root}${at}/cpu.max`)));
    if (!controllers.split(',').includes('cpu')) return [];
    return parentsOf(path).map((at) => {
      const folder = `${root}/${controllers}${at}`;
      const [quota, period] = ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) =>
        read(`${folder}/${name}`)?.trim(),
      );
      return quotaOf(`${quota} ${period}`);
    });
  });
  return Math.max(1, Math.ceil(Math.min(...quotas)));
}

/** A group and those that it is in, each of which may have a limit: `/a/b`, `/a` and the root. */
function parentsOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '..');
  return [...names.keys(), names.length].map((n) => ['', ...names.slice(0, n)].join('/'));
}

/** Time and the period that it is granted in; `max`, -1 or nothing is no limit. */
function quotaOf(text: string | undefined): number {
  const [quota, period] = (text ?? '').split(' ').map(Number) as [number, number];
  return quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
