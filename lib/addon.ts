// Where the native addon is, and what helps where it cannot be loaded.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Tags {
  file: string;
}
/** How node-gyp-build chooses among prebuilt addons, by the tags in their names. */
const {
  parseTags,
  matchTags,
  compareTags,
}: {
  parseTags: (file: string) => Tags | undefined;
  matchTags: (runtime: string, abi: string) => (tags: Tags) => boolean;
  compareTags: (runtime: string) => (a: Tags, b: Tags) => number;
} = require('node-gyp-build');

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

/** Where this file is: in `dist` of the package, or, in a bundle, wherever that is. */
const here = __dirname;
const packageFolder = join(here, '..');
const isPackage = nameOf(packageFolder) === 'culoss';
const built = join(packageFolder, 'build/Release/culoss.node');
const prebuilds = [...(isPackage ? [packageFolder] : []), here].map((folder) =>
  join(folder, 'prebuilds'),
);
const tuple = `${process.platform}-${process.arch}`;

/** The name of the package in a folder; undefined if there is none. */
function nameOf(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).name;
  } catch {
    return undefined;
  }
}

/** The addon that was built here, else the prebuilt one of this platform. It is one of ours, whatever else lies there. */
export function findAddon(): Addon {
  if (isPackage && existsSync(built)) return { file: built, why: 'built in this checkout' };
  const [file] = prebuilds.flatMap(fittingIn);
  if (file === undefined) throw new Error('there is no addon for this platform');
  return { file, why: 'prebuilt for this platform' };
}

/** Of prebuilt addons those that fit, the best one first. */
function fittingIn(folder: string): string[] {
  const names = namesIn(join(folder, tuple)).filter(isOurs);
  return names
    .map(parseTags)
    .filter((tags) => tags !== undefined)
    .filter(matchTags('node', process.versions.modules))
    .sort(compareTags('node'))
    .map(({ file }) => join(folder, tuple, file));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it is not there, or no folder
  }
}

const isOurs = (name: string): boolean => /^culoss\..*\.node$/.test(name);

/** Addons of ours that are there, for whatever platform. */
function addonsThere(): string[] {
  const foreign = prebuilds.flatMap((folder) =>
    namesIn(folder).flatMap((platform) =>
      namesIn(join(folder, platform))
        .filter(isOurs)
        .map((name) => join(folder, platform, name)),
    ),
  );
  return [...(isPackage && existsSync(built) ? [built] : []), ...foreign];
}

/** The whole story of an addon that could not be loaded: what was looked for, what is there, why, and what helps. */
export function loadFailure(cause: Error, platform: Platform = currentPlatform()): string {
  const { os, arch, libc, libcVersion, node } = platform;
  const why = cause.message.split('\n')[0] as string;
  const addons = addonsThere();
  const lookedFor = [
    ...(isPackage ? [built] : []),
    ...prebuilds.map((folder) => join(folder, tuple, `culoss.${libc || os}.node`)),
  ];
  const isCheckout = isPackage && existsSync(join(packageFolder, 'CMakeLists.txt'));
  const remedies = remediesOf(why, platform, { addons, isCheckout });
  const system = `${os}-${arch}, ${libc ? `${libc} ${libcVersion}`.trim() : os}, Node ${node}`;
  const found = addons.length > 0 ? addons : ['nothing'];
  return [
    `the native addon of culoss could not be loaded for ${system}: ${why}`,
    ...['  looked for:', ...lookedFor.map((file) => `    ${file}`)],
    ...['  found:', ...found.map((file) => `    ${file}`)],
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

  if (version?.[1] === 'GLIBC') {
    return [
      `use a system with glibc ${version[2]} or newer (this one has ${platform.libcVersion}): Debian 12, Ubuntu 22.04, RHEL 9, or an image of those, such as node:22-bookworm-slim`,
      build,
    ];
  }
  if (version !== null) {
    return ['update libstdc++ (Debian, Ubuntu: `apt-get install libstdc++6`)', build];
  }
  if (/invalid ELF header|wrong ELF class|file too short|mach-o|not a valid/i.test(why)) {
    return [
      `the file is damaged, or was installed on another system, as when node_modules is copied into a container: ${reinstall}`,
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
      'there is none for musl (Alpine): use an image with glibc, such as node:22-bookworm-slim',
      build,
    ];
  }
  if (addons.length === 0) {
    return [
      'if culoss is bundled, leave it out of the bundle (esbuild: `--external:culoss`), or copy its folder `prebuilds` beside the bundle',
      `if it is not, the package is not whole: ${reinstall}`,
    ];
  }
  const own = `${platform.os}-${platform.arch}`;
  if (!addons.some((file) => file.includes(own))) return [`there is none for ${own}: ${build}`];
  return [reinstall, build];
}
