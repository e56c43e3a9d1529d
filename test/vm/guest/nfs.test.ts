/** Runs in a guest whose kernel has an NFS client and an NFS server: the engine nfs on what it is made for. */
import { lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../../src/adapters/host/local-host.ts';
import { createShareFolders } from '../../../src/adapters/host/share-folders.ts';
import { sha256 } from '../../../src/adapters/ledger/sha256.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { isAppError } from '../../../src/domain/errors.ts';
import { ownEngineName } from '../../../src/domain/volume/engine-name.ts';
import { createNfsEngine } from '../../../src/engines/nfs/index.ts';
import type { DesiredAttachment, DesiredShare, DesiredVolume } from '../../../src/ports/engine.ts';
import { type NfsServer, startNfsServer } from './nfs-server.ts';

/** For all; and beside it what no volume may ever show, and what this machine may not have. */
const [EXPORT, SECRET, CLOSED] = ['/srv/export', '/srv/secret', '/srv/closed'];
const [MOUNT, SECOND] = ['/mnt/volume', '/mnt/second'];
const ME = '127.0.0.1';
const WAIT = { timeout: 60_000 };
const signal = AbortSignal.timeout(60 * 60_000);
const host = createLocalHost({ clock: createSystemClock() }, { name: 'guest' });
const folders = createShareFolders({ hostName: 'guest', run: (command) => host.run(command) });
const engine = createNfsEngine({ host, folders, hash: sha256 });
let server: NfsServer;

beforeAll(async () => {
  await mkdir(`${SECRET}/db`, { recursive: true });
  server = await startNfsServer({ [EXPORT]: ME, [SECRET]: ME, [CLOSED]: '10.99.99.99' });
});

function volume(share: DesiredShare, isPresent = true): DesiredVolume {
  const base = { subject: 'volume', layout: 'single', bricks: [], options: {} } as const;
  return { ...base, isPresent, name: ownEngineName('db'), share };
}

function attachment(share: DesiredShare, more: Partial<DesiredAttachment> = {}): DesiredAttachment {
  const base = { subject: 'attachment', isPresent: true, isReadOnly: false, mountPath: MOUNT, servers: [] } as const;
  return { ...base, volume: ownEngineName('db'), share, ...more };
}

/** Observes, does all that is planned, and observes again; what an agent does. */
async function settle(desired: DesiredVolume | DesiredAttachment) {
  const steps = engine.plan(desired, await engine.observe(desired, signal));
  for (const step of steps) await engine.apply(step, signal);
  return { steps: steps.map(({ step }) => step), now: await engine.observe(desired, signal) };
}

async function reasonOf(desired: DesiredVolume | DesiredAttachment): Promise<string | undefined> {
  try {
    await settle(desired);
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.reason;
  }
}

const mountsNow = async () => (await host.mounts.list()).filter(({ fsType }) => /^nfs4?$/.test(fsType));
const stateOf = async (desired: DesiredAttachment) => engine.observe(desired, signal);
const gone = { isPresent: false };

it('finds the client of the kernel', async () => {
  expect(await engine.probe(signal)).toMatchObject({ isInstalled: true, isRunning: true });
});

// One kernel is server and client, so nobody else asks for locks, and what others change is to be seen at once.
describe.each([
  ['NFSv3', 'nfsvers=3', '00000000-0000-4000-8000-000000000003'],
  ['NFSv4.0', 'nfsvers=4.0', '00000000-0000-4000-8000-000000000040'],
  ['NFSv4.2', 'nfsvers=4.2', '00000000-0000-4000-8000-000000000042'],
])('a folder of a share by %s', (name, version, volumeUid) => {
  const share: DesiredShare = {
    ...{ server: ME, path: EXPORT, subDir: 'team/db', onDelete: 'delete', permissions: '2770', volumeUid },
    mountOptions: [version, 'nolock', 'hard', 'actimeo=0'],
  };

  afterAll(async () => {
    await server.start();
    for (const { target } of await mountsNow()) await host.mounts.unmount(target, { lazy: true, timeoutMs: 60_000 });
    for (const each of await readdir(EXPORT)) await rm(`${EXPORT}/${each}`, { recursive: true });
  });

  it('is made on the server with its mode and its mark', async () => {
    const { steps, now } = await settle(volume(share));
    expect(steps).toEqual(['makeFolder']);
    expect(now).toMatchObject({ subject: 'volume', isStarted: true });
    expect((await lstat(`${EXPORT}/team/db`)).mode & 0o7777).toBe(0o2770);
    expect((await settle(volume(share))).steps).toEqual([]);
    expect(await mountsNow()).toEqual([]);
  });

  it('is mounted without power for set-uid files and devices, and two mounts see what is written', async () => {
    for (const mountPath of [MOUNT, SECOND]) {
      expect((await settle(attachment(share, { mountPath }))).steps).toEqual(['mountShare']);
    }
    for (const { source, options } of await mountsNow()) {
      expect(source).toBe(`${ME}:${EXPORT}/team/db`);
      expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'hard']));
    }
    await writeFile(`${MOUNT}/file`, 'over the wire');
    expect(await readFile(`${SECOND}/file`, 'utf8')).toBe('over the wire');
    expect(await readFile(`${EXPORT}/team/db/file`, 'utf8')).toBe('over the wire');
    const { steps, now } = await settle(attachment(share));
    expect([steps, now]).toMatchObject([[], { state: 'mounted', isAnswering: true }]);
    expect((await settle(attachment(share, { ...gone, mountPath: SECOND }))).steps).toEqual(['unmountShare']);
  });

  it('is mounted and silent while its server is away, which nobody waits for, and answers again', async () => {
    await server.stop();
    expect(await stateOf(attachment(share))).toMatchObject({ state: 'mounted', isAnswering: false });
    expect((await settle(attachment(share))).steps).toEqual([]);
    // Of NFSv3 the port mapper tells, and that one is still there.
    const reason = name === 'NFSv3' ? 'VersionNotServed' : 'ServerSilent';
    expect(await reasonOf(attachment(share, { mountPath: SECOND }))).toBe(reason);
    expect(await reasonOf(volume(share))).toBe(reason);
    await server.start();
    await expect.poll(() => stateOf(attachment(share)), WAIT).toMatchObject({ state: 'mounted', isAnswering: true });
    expect(await readFile(`${MOUNT}/file`, 'utf8')).toBe('over the wire');
  });

  it('is unmounted while its server is away, and mounted again when it is back', async () => {
    await server.stop();
    // The first try may meet its limit: over NFSv4.2 the kernel wants to give back to the server what it was lent of a file. The
    // next look finds the mount gone.
    const after = async () => (await settle(attachment(share, gone)).catch(() => undefined))?.now;
    await expect.poll(after, WAIT).toMatchObject({ state: 'absent' });
    expect(await mountsNow()).toEqual([]);
    await server.start();
    await expect.poll(() => reasonOf(attachment(share)), WAIT).toBeUndefined();
    expect(await readFile(`${MOUNT}/file`, 'utf8')).toBe('over the wire');
  });

  it('is found dead when it was exchanged on the server, and the other folder is neither mounted nor erased', async () => {
    // Made while the first one is there: it is another one by its inode.
    await mkdir(`${EXPORT}/team/other`);
    await rm(`${EXPORT}/team/db`, { recursive: true });
    await rename(`${EXPORT}/team/other`, `${EXPORT}/team/db`);
    // Over NFSv3 the server goes on with a folder that is gone as long as it keeps a file of it open, which is up to it.
    if (name !== 'NFSv3') expect(await stateOf(attachment(share))).toMatchObject({ state: 'dead' });
    expect(await reasonOf(volume(share))).toBe('FolderTaken');
    expect((await settle(attachment(share, gone))).steps).toEqual(['unmountShare']);
    expect((await settle(volume(share, false))).steps).toEqual(['forgetFolder']);
    expect(await readdir(`${EXPORT}/team`)).toEqual(['db']);
    await rm(`${EXPORT}/team/db`, { recursive: true });
    expect((await settle(volume(share))).steps).toEqual(['makeFolder']);
  });

  // Over NFSv4.0 the kernel tells no handle, and the inode decides.
  it.skipIf(name === 'NFSv4.0')('is not taken for one that was made anew and got its inode', async () => {
    const { ino } = await lstat(`${EXPORT}/team/db`);
    // Beside it nothing is made in between, so the file system has that number to give.
    await rm(`${EXPORT}/team/db`, { recursive: true });
    await mkdir(`${EXPORT}/team/db`);
    expect((await lstat(`${EXPORT}/team/db`)).ino).toBe(ino);
    await writeFile(`${EXPORT}/team/db/precious`, 'of another');
    expect(await reasonOf(attachment(share))).toBe('NotTheFolder');
    expect(await mountsNow()).toEqual([]);
    expect((await settle(volume({ ...share, onDelete: 'archive' }, false))).steps).toContain('archiveFolder');
    expect(await readFile(`${EXPORT}/team/db/precious`, 'utf8')).toBe('of another');
    await rm(`${EXPORT}/team/db`, { recursive: true });
    expect((await settle(volume(share))).steps).toEqual(['makeFolder']);
  });

  it('leads nowhere where a symlink is in its place', async () => {
    await rename(`${EXPORT}/team`, `${EXPORT}/aside`);
    await symlink(SECRET, `${EXPORT}/team`);
    for (const desired of [attachment(share), volume(share), volume(share, false)]) {
      expect(await reasonOf(desired)).toBe('NotAFolder');
    }
    expect(await mountsNow()).toEqual([]);
    expect(await readdir(SECRET)).toEqual(['db']);
    await rm(`${EXPORT}/team`);
    await rename(`${EXPORT}/aside`, `${EXPORT}/team`);
  });

  it('is mounted for reading only', async () => {
    await settle(attachment(share, { isReadOnly: true }));
    await expect(writeFile(`${MOUNT}/no`, '')).rejects.toMatchObject({ code: 'EROFS' });
    expect((await settle(attachment(share, gone))).steps).toEqual(['unmountShare']);
  });

  it('is archived, retained, and erased without what its symlinks lead to', async () => {
    await writeFile(`${EXPORT}/team/db/file`, 'kept');
    await settle(volume({ ...share, onDelete: 'archive' }, false));
    expect(await readFile(`${EXPORT}/team/archived-db/file`, 'utf8')).toBe('kept');
    const retained: DesiredShare = { ...share, subDir: 'team/retained', onDelete: 'retain' };
    await settle(volume(retained));
    expect((await settle(volume(retained, false))).steps).toEqual([]);
    await settle(volume(share));
    await mkdir(`${EXPORT}/team/db/deep/er`, { recursive: true });
    await symlink(SECRET, `${EXPORT}/team/db/deep/link`);
    expect((await settle(volume(share, false))).steps).toEqual(['setAside', 'eraseAside', 'forgetFolder']);
    expect(await readdir(`${EXPORT}/team`)).toEqual(['archived-db', 'retained']);
    expect(await readdir(`${EXPORT}/.holdfast/owners`)).toEqual([]);
    expect(await readdir(SECRET)).toEqual(['db']);
    await rm(`${EXPORT}/team`, { recursive: true });
  });

  it('is not needed for the whole of a share, in which nothing is made', async () => {
    const { subDir: _none, permissions: _mode, ...whole } = share;
    const before = await readdir(EXPORT);
    expect(await settle(volume({ ...whole, onDelete: 'retain' }))).toMatchObject({
      steps: [],
      now: { isPresent: true, capacityBytes: expect.any(Number) },
    });
    await settle(attachment(whole));
    expect(await readdir(MOUNT)).toEqual(before);
    await settle(attachment(whole, gone));
    expect((await settle(volume({ ...whole, onDelete: 'retain' }, false))).steps).toEqual([]);
  });

  it('says in words what mount.nfs says', async () => {
    expect(await reasonOf(volume({ ...share, path: `${EXPORT}/none` }))).toBe('NoSuchShare');
    expect(await reasonOf(volume({ ...share, server: 'nobody.invalid' }))).toBe('UnknownServer');
    // Over NFSv4 what is exported to others only is not to be seen at all.
    const closed = await reasonOf(volume({ ...share, path: CLOSED }));
    expect(closed).toBe(name === 'NFSv3' ? 'ShareDenied' : 'NoSuchShare');
  });
});
