// What helps where the addon cannot be loaded is chosen from the error.
import { createRequire } from 'node:module';
import { expect } from 'chai';
import type { Platform } from '../dist/addon.js';

const require = createRequire(import.meta.url);
const { currentPlatform, remediesOf } = require('../../dist/addon.js');

const linux: Platform = {
  os: 'linux',
  arch: 'x64',
  libc: 'glibc',
  libcVersion: '2.31',
  node: '20.20.2',
};
const none = 'there is no addon for this platform';
const installed = {
  addons: ['/app/node_modules/culoss/prebuilds/linux-x64/culoss.glibc.node'],
  isCheckout: false,
};

describe('addon', () => {
  it('has an answer to whatever else keeps an addon that is there from loading', () => {
    const [first] = remediesOf('undefined symbol: napi_x', linux, installed);
    expect(first).to.match(/^install again on this machine/);
  });

  it('knows the platform', () => {
    const { os, arch, libc, libcVersion, node } = currentPlatform();
    expect({ os, arch, node }).to.deep.equal({
      os: process.platform,
      arch: process.arch,
      node: process.versions.node,
    });
    expect(`${libc} ${libcVersion}`).to.match(/^glibc 2\.\d+$|^musl $/);
  });

  for (const [title, why, platform, found, expected] of [
    [
      'a glibc that is too old',
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app/culoss.node)",
      {},
      {},
      /^use a system with glibc 2\.34 or newer \(this one has 2\.31\)/,
    ],
    [
      'a libstdc++ that is too old',
      "/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found",
      {},
      {},
      /^update libstdc\+\+/,
    ],
    [
      'a library that is missing',
      'libgomp.so.1: cannot open shared object file: No such file or directory',
      {},
      {},
      /^install the library libgomp\.so\.1/,
    ],
    [
      'an addon of another system',
      '/app/culoss.glibc.node: invalid ELF header',
      {},
      {},
      /copied into a container.*rm -rf node_modules && npm ci/,
    ],
    ['a damaged addon', '/app/culoss.glibc.node: file too short', {}, {}, /^the file is damaged/],
    [
      'a file system without execution',
      '/app/culoss.glibc.node: failed to map segment from shared object',
      {},
      {},
      /`noexec`/,
    ],
    ['macOS', none, { os: 'darwin', arch: 'arm64', libc: '' }, {}, /binaries for Linux only/],
    ['musl', none, { libc: 'musl', libcVersion: '' }, {}, /none for musl \(Alpine\)/],
    [
      'another processor',
      none,
      { arch: 'riscv64' },
      {},
      /^there is none for linux-riscv64: build it from source/,
    ],
    ['a package without its addons', none, {}, { addons: [] }, /^if culoss is bundled/],
    [
      'a checkout',
      none,
      {},
      { addons: [], isCheckout: true },
      /^`npm ci && npm run build` in this checkout/,
    ],
  ] as const) {
    it(`has an answer to ${title}`, () => {
      const [first] = remediesOf(why, { ...linux, ...platform }, { ...installed, ...found });
      expect(first).to.match(expected);
    });
  }
});
