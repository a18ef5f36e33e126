// Where the native addon is, and what helps where it cannot be loaded.
import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

const { resolve }: { resolve: (root: string) => string } = require('node-gyp-build');

/** The package; or, in a bundle, the folder above it or that of the bundle itself. */
const roots = [join(__dirname, '..'), __dirname];

/** What an addon must have been built for. */
export interface Platform {
  os: string;
  arch: string;
  /** `glibc` or `musl`, and its version; empty where there is none. */
  libc: string;
  libcVersion: string;
  node: string;
}

export function currentPlatform(): Platform {
  const report = process.report?.getReport() as
    | { header: { glibcVersionRuntime?: string } }
    | undefined;
  const { glibcVersionRuntime: version = '' } = report?.header ?? {};
  const { platform: os, arch } = process;
  const libc = os === 'linux' ? (version === '' ? 'musl' : 'glibc') : '';
  return { os, arch, libc, libcVersion: version, node: process.versions.node };
}

/** An addon, and why it is the one. */
export interface Addon {
  file: string;
  why: string;
}

/** The addon that was built here, else the prebuilt one of this platform. */
export function findAddon(): Addon {
  const found = roots.flatMap(resolved);
  const [file] = found;
  if (file === undefined) throw new Error('there is no addon for this platform');
  const root = roots.find((each) => file.startsWith(each + sep));
  // It is one of this package, whatever the environment says.
  if (root === undefined) {
    throw new Error(`${file} is not of this package (is CULOSS_PREBUILD set?)`);
  }
  const isBuilt = file.startsWith(join(root, 'build') + sep);
  return { file, why: isBuilt ? 'built in this checkout' : 'prebuilt for this platform' };
}

function resolved(root: string): string[] {
  try {
    return [resolve(root)];
  } catch {
    return [];
  }
}

/** Addons that are there, for whatever platform. */
function addonsIn(root: string): string[] {
  const folders = [join(root, 'build/Release'), ...subfoldersOf(join(root, 'prebuilds'))];
  return folders.flatMap((folder) => filesOf(folder).filter((file) => file.endsWith('.node')));
}

const filesOf = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
const subfoldersOf = filesOf;

/** The whole story of an addon that could not be loaded: what was looked for, what is there, why, and what helps. */
export function loadFailure(cause: Error, platform: Platform = currentPlatform()): string {
  const { os, arch, libc, libcVersion, node } = platform;
  const [root] = roots as [string];
  const why = cause.message.split('\n')[0] as string;
  const there = roots.flatMap(addonsIn);
  const lookedFor = [
    join(root, 'build/Release/culoss.node'),
    join(root, 'prebuilds', `${os}-${arch}`, `culoss.${libc || os}.node`),
  ];
  const remedies = remediesOf(why, platform, {
    addons: there,
    isCheckout: existsSync(join(root, 'CMakeLists.txt')),
  });
  return [
    `the native addon of culoss could not be loaded for ${os}-${arch}, ${[libc, libcVersion].join(' ').trim() || os}, Node ${node}: ${why}`,
    ...['  looked for:', ...lookedFor.map((file) => `    ${file}`)],
    ...['  found:', ...(there.length > 0 ? there : ['nothing']).map((file) => `    ${file}`)],
    ...['  possible solutions:', ...remedies.map((remedy) => `    - ${remedy}`)],
  ].join('\n');
}

interface Found {
  addons: readonly string[];
  isCheckout: boolean;
}

/** What helps against an error of `dlopen`, or where there is no file for it. */
export function remediesOf(
  why: string,
  platform: Platform,
  { addons, isCheckout }: Found,
): string[] {
  const build = isCheckout
    ? '`npm ci && npm run build` in this checkout makes the addon'
    : 'build it from source: clone the repository, then `npm ci && npm run build` there';
  const reinstall =
    'install again on this machine: `npm rebuild` does not do it, `rm -rf node_modules && npm ci` does';
  const missing = /(?:^|: )(\S+\.so\S*): cannot open shared object file/.exec(why);
  const version = /version [`']([A-Z]+)_([\d.]+)' not found/.exec(why);

  if (/CULOSS_PREBUILD/.test(why))
    return ['unset CULOSS_PREBUILD: culoss loads its own addon only'];
  if (version?.[1] === 'GLIBC') {
    return [
      `use a system with glibc ${version[2]} or newer (this one has ${platform.libcVersion}): Debian 12, Ubuntu 22.04, RHEL 9, or an image of those, such as node:20-bookworm-slim`,
      build,
    ];
  }
  if (version !== null)
    return ['update libstdc++ (Debian, Ubuntu: `apt-get install libstdc++6`)', build];
  if (/invalid ELF header|wrong ELF class|file too short|mach-o|not a valid/i.test(why)) {
    return [
      `the file is damaged, or was installed on another system, as when node_modules is copied into a container. ${reinstall}`,
    ];
  }
  if (/failed to map segment|operation not permitted|permission denied/i.test(why)) {
    return ['the file must be readable, on a file system that is not mounted `noexec`'];
  }
  if (missing !== null && !missing[1]?.endsWith('culoss.node')) {
    return [`install the library ${missing[1]}, which the addon needs`, build];
  }
  if (platform.os !== 'linux') {
    return [
      'there are binaries for Linux only: run Node in a container, or below WSL 2 on Windows',
    ];
  }
  if (isCheckout) return [build];
  if (platform.libc === 'musl') {
    return [
      'there is none for musl (Alpine): use an image with glibc, such as node:20-bookworm-slim',
      build,
    ];
  }
  if (addons.length === 0) {
    return [
      'if culoss is bundled, leave it out of the bundle (esbuild: `--external:culoss`), or copy its folder `prebuilds` beside the bundle',
      `if it is not, the package is not whole: ${reinstall}`,
    ];
  }
  return [build, '`npx culoss doctor` tells more'];
}
