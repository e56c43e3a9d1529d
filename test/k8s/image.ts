/** An image for pods, made without Docker and a registry: busybox and nothing else, as `ctr image import` takes it. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../src/ports/host.ts';

/** Of the pods, and of what holds their namespaces. */
export const IMAGE = 'holdfast.test/busybox:1';
const COMMANDS = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'ls',
  'sync',
  'mount',
  'df',
  'dd',
  'sha256sum',
  'test',
  'touch',
  'stat',
  '[',
];
const TIMEOUT_MS = 30_000;

/** @returns path of the archive */
export async function makeImage(machine: Host, folder: string): Promise<string> {
  const root = join(folder, 'root');
  for (const each of ['bin', 'tmp', 'data', 'dev', 'proc', 'sys']) await mkdir(join(root, each), { recursive: true });
  await copyFile('/bin/busybox', join(root, 'bin/busybox'));
  for (const command of COMMANDS) await symlink('busybox', join(root, 'bin', command));
  const layer = join(folder, 'layer.tar');
  await tar(machine, root, layer, ['.']);
  const digest = createHash('sha256')
    .update(await readFile(layer))
    .digest('hex');
  const config = {
    ...{ architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' },
    // Nobody says what the container that holds a pod's namespaces runs: that is its entry point.
    config: { Env: ['PATH=/bin'], Entrypoint: ['/bin/sleep', 'infinity'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'busybox' }],
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  await tar(machine, folder, archive, ['config.json', 'manifest.json', 'layer.tar']);
  return archive;
}

async function tar(machine: Host, from: string, to: string, names: readonly string[]): Promise<void> {
  await machine.run({ file: 'tar', args: ['-C', from, '-cf', to, '--', ...names], timeoutMs: TIMEOUT_MS });
}
