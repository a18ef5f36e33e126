// Builds again, which no other test may run beside: the addon that they load is not there meanwhile.
import { execFileSync } from 'node:child_process';
import { utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('rebuild', () => {
  it('builds a changed native file again, and nothing that has not changed', () => {
    const build = (): string =>
      execFileSync(process.execPath, ['scripts/build-native.mjs'], { cwd: root, encoding: 'utf8' });
    expect(build()).to.match(/culoss: .*building/);
    expect(build()).not.to.match(/Building|Linking/);
    utimesSync(`${root}native/addon/cpu.cpp`, new Date(), new Date());
    expect(build().match(/Building/g)).to.have.length(1);
  });
});
