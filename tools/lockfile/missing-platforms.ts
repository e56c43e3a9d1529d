/**
 * Finds packages for other platforms that a lockfile lacks.
 *
 * A registry mirror may hold only the builds for the machines it serves. npm then leaves the others out of the lockfile
 * without a word, and `npm ci` refuses that lockfile ("Missing: ... from lock file"), on every machine. An entry with
 * the version and the platform is enough: npm skips it where the platform is another one, and never asks for it.
 */

export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
  readonly libc?: readonly string[];
  /** Versions of Node that it says it runs on. */
  readonly engines?: unknown;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

const SYSTEMS = new Set([
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]);
const PROCESSORS = new Set(['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']);

/** Entries to add, by their path in the lockfile. @throws when a name does not say for which system the package is */
export function missingPlatforms(packages: LockedPackages): LockedPackages {
  const missing: Record<string, LockedPackage> = {};
  for (const parent of Object.values(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (packages[path] === undefined) missing[path] = entryFor(name, version, parent.dev === true);
    }
  }
  return missing;
}

function entryFor(name: string, version: string, isDev: boolean): LockedPackage {
  const words = name.split(/[/-]/);
  const system = words.find((word) => SYSTEMS.has(word));
  if (system === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${name}@${version} is not locked, and its name does not say which system it is for`);
  }
  const processor = words.find((word) => PROCESSORS.has(word));
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : undefined;
  return {
    version,
    ...(processor === undefined ? {} : { cpu: [processor] }),
    ...(isDev ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc }),
    optional: true,
    os: [system],
  };
}
