// The default number of threads counts what a container may use, not what it sees.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { expect } from 'chai';

const require = createRequire(import.meta.url);
const { grantedCores } = require('../../dist/cgroup.js');

describe('cgroup', () => {
  const systems: [string, Record<string, string>, number][] = [
    ['no control groups', {}, Number.POSITIVE_INFINITY],
    [
      'no limit',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
      Infinity,
    ],
    [
      'a container',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' },
      2,
    ],
    [
      'a part of a core',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
      1,
    ],
    [
      'two and a half cores',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '250000 100000\n' },
      3,
    ],
    [
      'a limit of the group above',
      {
        '/proc/self/cgroup': '0::/kubepods/pod7\n',
        '/sys/fs/cgroup/kubepods/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/kubepods/pod7/cpu.max': 'max 100000\n',
      },
      4,
    ],
    [
      'a name with colons',
      {
        '/proc/self/cgroup': '0::/pod.slice:cri-containerd:12\n',
        '/sys/fs/cgroup/pod.slice:cri-containerd:12/cpu.max': '200000 100000\n',
      },
      2,
    ],
    [
      'version 1',
      {
        '/proc/self/cgroup': '5:memory:/x\n4:cpu,cpuacct:/docker/1\n',
        '/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us': '150000\n',
        '/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us': '50000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      3,
    ],
    ['nonsense', { '/proc/self/cgroup': 'x\n\n0::\n', '/sys/fs/cgroup/cpu.max': 'many' }, Infinity],
  ];
  for (const [title, files, expected] of systems) {
    it(`counts the cores of ${title}`, () => {
      expect(grantedCores((file: string) => files[file])).to.equal(expected);
    });
  }

  it('is what the default number of threads does not exceed', () => {
    const { CULOSS_NUM_THREADS: _, ...env } = process.env;
    const text = execFileSync(process.execPath, ['-p', "require('culoss').cpu.threads"], {
      env,
      encoding: 'utf8',
    });
    expect(Number(text)).to.equal(Math.min(availableParallelism(), grantedCores()));
  });
});
