/** Pool devices for real: loop devices with real file systems, formatted only when they are proven empty. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { preparePool } from '../../src/controllers/agent/prepare-pool.ts';
import type { Host } from '../../src/ports/host.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('SKIPPED prepare-pool: making loop devices needs root\n');

describe.skipIf(!isRoot)('preparePool on a real block device', () => {
  const signal = new AbortController().signal;
  let host: Host;
  let folder: string;
  let device: string;
  let path: string;

  const run = (file: string, args: string[]) => host.run({ file, args, timeoutMs: 30_000 });
  const sha = async () => (await run('sha256sum', ['--', join(folder, 'disk.img')])).stdout.slice(0, 64);
  const pool = () => ({ name: 'default', path, device });

  beforeEach(async () => {
    host = createLocalHost({ clock: createSystemClock() });
    folder = await mkdtemp(join(tmpdir(), 'holdfast-pool-'));
    path = join(folder, 'mnt');
    await run('truncate', ['-s', '512M', join(folder, 'disk.img')]);
    device = (await run('losetup', ['--find', '--show', '--', join(folder, 'disk.img')])).stdout.trim();
  });

  afterEach(async () => {
    for (const target of [path, join(folder, 'elsewhere')]) await host.mounts.unmount(target, { timeoutMs: 10_000 });
    await run('losetup', ['--detach', device]);
    await rm(folder, { recursive: true });
  });

  it('formats an empty device, mounts it, and leaves it alone from then on', async () => {
    const first = await preparePool(host, pool(), signal);
    expect(first).toMatchObject({ isReady: true, fsType: 'xfs', hasReflink: true });
    expect(first.freeBytes).toBeGreaterThan(300 * 2 ** 20);
    await host.files.writeText(join(path, 'precious'), 'data');

    expect(await preparePool(host, pool(), signal)).toMatchObject({ isReady: true });
    await host.mounts.unmount(path, { timeoutMs: 10_000 });
    expect(await preparePool(host, pool(), signal)).toMatchObject({ isReady: true });
    expect(await host.files.readText(join(path, 'precious'))).toBe('data');
  });

  it('mounts no file system that is a pool of another node', async () => {
    const { fsUuid } = await preparePool(host, pool(), signal);
    expect(fsUuid).toMatch(/^[0-9a-f-]{36}$/);
    await host.mounts.unmount(path, { timeoutMs: 10_000 });
    const ownerOf = (uuid: string) => (uuid === fsUuid ? 'kube2' : undefined);
    expect(await preparePool(host, pool(), signal, ownerOf)).toMatchObject({
      isReady: false,
      reason: 'DeviceOfAnotherNode',
      message: expect.stringContaining('kube2'),
    });
    expect((await host.mounts.list()).some((mount) => mount.target === path)).toBe(false);
    expect(await preparePool(host, pool(), signal, () => undefined)).toMatchObject({ isReady: true, fsUuid });
  });

  it('refuses a device with a file system, says which, and changes no byte of it', async () => {
    await run('mkfs.ext4', ['-q', '-L', 'photos', device]);
    const before = await sha();
    expect(await preparePool(host, pool(), signal)).toMatchObject({
      isReady: false,
      reason: 'DeviceNotEmpty',
      message: expect.stringContaining(`${device} holds ext4 labelled "photos"`),
    });
    expect(await sha()).toBe(before);
  });

  it("refuses somebody else's XFS", async () => {
    await run('mkfs.xfs', ['-q', '-L', 'theirs', device]);
    const before = await sha();
    expect(await preparePool(host, pool(), signal)).toMatchObject({ isReady: false, reason: 'DeviceNotEmpty' });
    expect(await sha()).toBe(before);
  });

  it('refuses raw data without any signature', async () => {
    const image = join(folder, 'disk.img');
    await run('dd', ['if=/dev/urandom', `of=${image}`, 'bs=4096', 'seek=40', 'count=1', 'conv=notrunc', 'status=none']);
    const before = await sha();
    expect(await preparePool(host, pool(), signal)).toMatchObject({
      reason: 'DeviceNotEmpty',
      message: expect.stringContaining('first 256 KiB'),
    });
    expect(await sha()).toBe(before);
  });

  it('refuses a device that is mounted elsewhere', async () => {
    await run('mkfs.xfs', ['-q', '-L', 'holdfast', device]);
    const elsewhere = join(folder, 'elsewhere');
    await host.files.makeDirectory(elsewhere);
    await host.mounts.mount({ source: device, target: elsewhere, fsType: 'xfs', timeoutMs: 10_000 });
    expect(await preparePool(host, pool(), signal)).toMatchObject({
      reason: 'DeviceInUse',
      message: expect.stringContaining(elsewhere),
    });
  });

  it('refuses a path that something else is mounted on', async () => {
    await host.files.makeDirectory(path);
    await host.mounts.mount({ source: 'tmpfs', target: path, fsType: 'tmpfs', timeoutMs: 10_000 });
    expect(await preparePool(host, pool(), signal)).toMatchObject({ reason: 'PathOccupied' });
  });

  it('names a device that does not exist, and a folder that is missing', async () => {
    expect(await preparePool(host, { ...pool(), device: '/dev/holdfast-none' }, signal)).toMatchObject({
      reason: 'DeviceMissing',
      message: expect.stringContaining('/dev/holdfast-none does not exist'),
    });
    expect(await preparePool(host, { name: 'default', path }, signal)).toMatchObject({ reason: 'PathMissing' });
  });

  it('leaves a file alone that was named for a device, be it all zeros', async () => {
    const file = join(folder, 'zeros');
    await run('truncate', ['-s', '64M', file]);
    expect(await preparePool(host, { ...pool(), device: file }, signal)).toMatchObject({
      isReady: false,
      reason: 'NotABlockDevice',
      message: expect.stringContaining(`${file} on this machine is not a block device, and was not touched`),
    });
  });
});
