import { describe, expect, test } from 'vitest';
import { isAppError } from '../../domain/errors.ts';
import { ownEngineName } from '../../domain/volume/engine-name.ts';
import type { DesiredAttachment, DesiredShare, DesiredVolume, Engine } from '../../ports/engine.ts';
import { RunError } from '../../ports/run-error.ts';
import { createFakeFileServer, type FakeFileServer } from './file-server.fake.ts';
import { createNfsEngine } from './index.ts';
import { describeMountFailure } from './mount-failure.ts';
import { readMark } from './share-paths.ts';

const SHARE: DesiredShare = {
  ...{ server: 'files', path: '/export', subDir: 'team/db', onDelete: 'delete', mountOptions: [] },
  volumeUid: 'aaaaaaaa-0000-4000-8000-000000000001',
};
const OTHER = 'bbbbbbbb-0000-4000-8000-000000000002';
const signal = new AbortController().signal;
const hash = (text: string) => `hash-${text.replaceAll('/', '-')}`;

function start(): { server: FakeFileServer; engine: Engine; machine: ReturnType<FakeFileServer['machine']> } {
  const server = createFakeFileServer();
  server.export('files:/export');
  server.export('files:/secret');
  const machine = server.machine('kube1');
  return { server, engine: createNfsEngine({ ...machine, hash }), machine };
}

function volume(share: Partial<DesiredShare> = {}, more: Partial<DesiredVolume> = {}): DesiredVolume {
  const base = { subject: 'volume', isPresent: true, layout: 'single', bricks: [], options: {} } as const;
  return { ...base, name: ownEngineName('db'), share: { ...SHARE, ...share }, ...more };
}

function attachment(share: Partial<DesiredShare> = {}, more: Partial<DesiredAttachment> = {}): DesiredAttachment {
  const base = { subject: 'attachment', isPresent: true, mountPath: '/data', isReadOnly: false, servers: [] } as const;
  return { ...base, volume: ownEngineName('db'), share: { ...SHARE, ...share }, ...more };
}

/** Observes, does all that is planned, and observes again; what an agent does. */
async function settle(engine: Engine, desired: DesiredVolume | DesiredAttachment) {
  const seen = await engine.observe(desired, signal);
  const steps = engine.plan(desired, seen);
  for (const step of steps) await engine.apply(step, signal);
  return { steps: steps.map(({ step }) => step), now: await engine.observe(desired, signal) };
}

async function reasonOf(act: Promise<unknown>): Promise<string | undefined> {
  try {
    await act;
    return undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return error.reason;
  }
}

describe('the folder of a volume', () => {
  test('is made, found again, and erased with the volume; what is beside it stays', async () => {
    const { server, engine, machine } = start();
    server.put('files:/export', 'team/other/file', 'file');
    const made = await settle(engine, volume());
    expect(made.steps).toEqual(['makeFolder']);
    expect(made.now).toMatchObject({ isPresent: true, isStarted: true, engineId: SHARE.volumeUid });
    expect((await settle(engine, volume({}, { engineId: SHARE.volumeUid }))).steps).toEqual([]);
    server.put('files:/export', 'team/db/file', 'file');
    const gone = await settle(engine, volume({}, { isPresent: false }));
    expect(gone.steps).toEqual(['setAside', 'eraseAside', 'forgetFolder']);
    expect(gone.now).toMatchObject({ isPresent: false });
    expect(server.names('files:/export', 'team')).toEqual(['other']);
    expect(server.names('files:/export', '.holdfast/owners')).toEqual([]);
    expect(machine.mounts).toEqual([]);
  });

  test('is renamed with onDelete archive, beside one that was archived before', async () => {
    const { server, engine } = start();
    server.put('files:/export', 'team/archived-db/old', 'file');
    await settle(engine, volume({ onDelete: 'archive' }));
    server.put('files:/export', 'team/db/file', 'file');
    const gone = await settle(engine, volume({ onDelete: 'archive' }, { isPresent: false }));
    expect(gone.steps).toEqual(['archiveFolder', 'forgetFolder']);
    expect(server.names('files:/export', 'team')).toEqual(['archived-db', 'archived-db-aaaaaaaa']);
    expect(server.names('files:/export', 'team/archived-db')).toEqual(['old']);
    expect(server.names('files:/export', 'team/archived-db-aaaaaaaa')).toEqual(['file']);
  });

  test('stays with onDelete retain, also where the server is away, and may have been there before', async () => {
    const { server, engine } = start();
    server.put('files:/export', 'team/db/file', 'file');
    expect((await settle(engine, volume({ onDelete: 'retain' }))).steps).toEqual([]);
    server.isSilent = true;
    const gone = await settle(engine, volume({ onDelete: 'retain' }, { isPresent: false }));
    expect(gone).toMatchObject({ steps: [], now: { isPresent: false } });
    expect(server.names('files:/export', 'team/db')).toEqual(['file']);
  });

  test('that was there before is refused with onDelete delete, and nothing of it is touched when the volume goes', async () => {
    const { server, engine } = start();
    server.put('files:/export', 'team/db/file', 'file');
    expect(await reasonOf(settle(engine, volume()))).toBe('FolderTaken');
    expect((await settle(engine, volume({}, { isPresent: false }))).steps).toEqual([]);
    expect(server.names('files:/export', 'team/db')).toEqual(['file']);
  });

  test('of another volume is refused, and so is a folder in it', async () => {
    const { engine } = start();
    await settle(engine, volume({ volumeUid: OTHER }));
    expect(await reasonOf(settle(engine, volume()))).toBe('FolderTaken');
    expect(await reasonOf(settle(engine, volume({ onDelete: 'retain' })))).toBe('FolderTaken');
    expect(await reasonOf(settle(engine, volume({ subDir: 'team/db/inner' })))).toBe('FolderTaken');
    expect((await settle(engine, volume({}, { isPresent: false }))).steps).toEqual([]);
    expect((await settle(engine, volume({ volumeUid: OTHER }))).steps).toEqual([]);
  });

  test('that another one has taken the place of is neither used nor erased', async () => {
    const { server, engine } = start();
    await settle(engine, volume());
    server.put('files:/export', 'team/db', 'folder');
    server.put('files:/export', 'team/db/precious', 'file');
    expect(await reasonOf(settle(engine, volume({}, { engineId: SHARE.volumeUid })))).toBe('FolderTaken');
    expect((await settle(engine, volume({}, { isPresent: false }))).steps).toEqual(['forgetFolder']);
    expect(server.names('files:/export', 'team/db')).toEqual(['precious']);
  });

  test.each(['delete', 'archive'] as const)(
    'that was made anew by others is not taken for it when it got its inode: onDelete %s',
    async (onDelete) => {
      const { server, engine, machine } = start();
      await settle(engine, volume({ onDelete }));
      server.remake('files:/export', 'team/db');
      server.put('files:/export', 'team/db/precious', 'file');
      expect(await reasonOf(settle(engine, attachment({ onDelete })))).toBe('NotTheFolder');
      expect(machine.mounts).toEqual([]);
      await settle(engine, volume({ onDelete }, { isPresent: false }));
      expect(server.names('files:/export', 'team')).toEqual(['db']);
      expect(server.names('files:/export', 'team/db')).toEqual(['precious']);
      expect(server.names('files:/export', '.holdfast/owners')).toEqual([]);
    },
  );

  test('that was made anew where it was set aside is not erased', async () => {
    const { server, engine } = start();
    await settle(engine, volume());
    const desired = volume({}, { isPresent: false });
    const [aside, erase] = engine.plan(desired, await engine.observe(desired, signal));
    if (aside === undefined || erase === undefined) throw new Error('nothing is planned');
    await engine.apply(aside, signal);
    server.remake('files:/export', `.holdfast/gone/${SHARE.volumeUid}`);
    server.put('files:/export', `.holdfast/gone/${SHARE.volumeUid}/precious`, 'file');
    expect(await reasonOf(engine.apply(erase, signal))).toBe('NotTheOwner');
    expect(server.names('files:/export', `.holdfast/gone/${SHARE.volumeUid}`)).toEqual(['precious']);
  });

  test('that is being made is marked for what it is, also after a crash before it had its name', async () => {
    const { server, engine, machine } = start();
    const move = async () => {
      throw new Error('the node is gone');
    };
    const dying = createNfsEngine({ ...machine, hash, folders: { ...machine.folders, move } });
    await expect(settle(dying, volume())).rejects.toThrow('the node is gone');
    server.remake('files:/export', `.holdfast/new/${SHARE.volumeUid}`);
    expect((await settle(engine, volume())).steps).toEqual(['makeFolder']);
    expect((await settle(engine, attachment())).now).toMatchObject({ state: 'mounted' });
  });

  test('with a mark of before there were handles is known by its inode', async () => {
    const { server, engine, machine } = start();
    const unaware = createNfsEngine({
      ...machine,
      hash,
      folders: { ...machine.folders, handle: async () => undefined },
    });
    await settle(unaware, volume());
    expect((await settle(engine, volume())).steps).toEqual([]);
    expect((await settle(engine, attachment())).steps).toEqual(['mountShare']);
    await settle(engine, attachment({}, { isPresent: false }));
    await settle(engine, volume({}, { isPresent: false }));
    expect(server.names('files:/export', 'team')).toEqual([]);
  });

  test('with a handle stays where the node cannot read one', async () => {
    const { server, engine, machine } = start();
    await settle(engine, volume());
    const unable = createNfsEngine({
      ...machine,
      hash,
      folders: { ...machine.folders, handle: async () => undefined },
    });
    expect(await reasonOf(settle(unable, volume({}, { isPresent: false })))).toBe('HandleUnknown');
    expect(await reasonOf(settle(unable, attachment()))).toBe('HandleUnknown');
    expect(machine.mounts).toEqual([]);
    expect(server.names('files:/export', 'team')).toEqual(['db']);
  });

  test('that was swapped after it was set aside is not erased', async () => {
    const { server, engine } = start();
    await settle(engine, volume());
    const desired = volume({}, { isPresent: false });
    const [aside, erase] = engine.plan(desired, await engine.observe(desired, signal));
    if (aside === undefined || erase === undefined) throw new Error('nothing is planned');
    await engine.apply(aside, signal);
    server.put('files:/export', `.holdfast/gone/${SHARE.volumeUid}`, 'folder');
    server.put('files:/export', `.holdfast/gone/${SHARE.volumeUid}/precious`, 'file');
    expect(await reasonOf(engine.apply(erase, signal))).toBe('NotTheOwner');
    expect(server.names('files:/export', `.holdfast/gone/${SHARE.volumeUid}`)).toEqual(['precious']);
  });

  test('is not reached through a symlink', async () => {
    const { server, engine } = start();
    server.put('files:/export', 'team', 'symlink', '/etc');
    expect(await reasonOf(settle(engine, volume()))).toBe('NotAFolder');
    expect(await reasonOf(settle(engine, volume({ onDelete: 'retain' })))).toBe('NotAFolder');
    server.put('files:/export', 'team', 'folder');
    server.put('files:/export', 'team/db', 'symlink', '/etc');
    expect(await reasonOf(settle(engine, volume({ onDelete: 'retain' })))).toBe('FolderTaken');
  });

  test('that is lost is not made anew', async () => {
    const { engine } = start();
    expect(await reasonOf(settle(engine, volume({}, { engineId: SHARE.volumeUid })))).toBe('FolderLost');
  });

  test('a mark that cannot be read is no mark of ours', () => {
    expect(() => readMark('volume db\nuid x\ninode 1\nand more\n')).toThrow('cannot be read as a mark');
    expect(() => readMark('')).toThrow('cannot be read as a mark');
  });
});

describe('a folder that a person accepts', () => {
  const of = (share: Partial<DesiredShare> = {}) => ({ volume: 'db', share: { ...SHARE, ...share } });
  const workOf = ({ shareWork }: Engine) => {
    if (shareWork === undefined) throw new Error('the engine does no such work');
    return shareWork;
  };

  test.each([true, false])('is mounted and erased as that of the volume (inodes are kept: %s)', async (keepsInodes) => {
    const { server, engine, machine } = start();
    await settle(engine, volume());
    for (let file = 0; file < 22; file += 1) server.put('files:/export', `team/db/f\u0007${10 + file}`, 'file');
    server.setUpAnew({ keepsInodes });
    expect(await reasonOf(settle(engine, attachment()))).toBe('NotTheFolder');
    const work = workOf(engine);
    const { identity, before, names, hasMore, capacityBytes } = await work.lookAtFolder(of(), signal);
    expect(identity).toMatch(/^inode \d+ handle 1:\d+$/);
    expect(before).toMatch(/^inode \d+ handle 1:\d+$/);
    expect(before).not.toBe(identity);
    expect({ names, hasMore }).toEqual({ names: Array.from({ length: 20 }, (_, at) => `f?${10 + at}`), hasMore: true });
    expect(capacityBytes).toBeGreaterThan(0);
    await work.acceptFolder(of(), identity, signal);
    await work.acceptFolder(of(), identity, signal);
    expect(await work.lookAtFolder(of(), signal)).toMatchObject({ before: identity });
    expect((await settle(engine, attachment())).now).toMatchObject({ state: 'mounted' });
    await settle(engine, attachment({}, { isPresent: false }));
    await settle(engine, volume({}, { isPresent: false }));
    expect(server.names('files:/export', 'team')).toEqual([]);
    expect(machine.mounts).toEqual([]);
  });

  test('is the one that was looked at, and no other that came since', async () => {
    const { server, engine } = start();
    await settle(engine, volume());
    server.remake('files:/export', 'team/db');
    const { identity } = await workOf(engine).lookAtFolder(of(), signal);
    server.remake('files:/export', 'team/db');
    expect(await reasonOf(workOf(engine).acceptFolder(of(), identity, signal))).toBe('OtherFolder');
    expect(await reasonOf(settle(engine, attachment()))).toBe('NotTheFolder');
  });

  test('may have lost its mark, also by a crash right after the old one was removed', async () => {
    const { server, engine, machine } = start();
    await settle(engine, volume());
    server.setUpAnew({ keepsInodes: false });
    const createText = async () => {
      throw new Error('the node is gone');
    };
    const dying = createNfsEngine({ ...machine, hash, folders: { ...machine.folders, createText } });
    const { identity } = await workOf(engine).lookAtFolder(of(), signal);
    await expect(workOf(dying).acceptFolder(of(), identity, signal)).rejects.toThrow('the node is gone');
    expect(server.names('files:/export', '.holdfast/owners')).toEqual([]);
    // Without a mark nothing is erased.
    await settle(engine, volume({}, { isPresent: false }));
    expect(server.names('files:/export', 'team')).toEqual(['db']);
    expect((await workOf(engine).lookAtFolder(of(), signal)).before).toBeUndefined();
    await workOf(engine).acceptFolder(of(), identity, signal);
    expect((await settle(engine, attachment())).now).toMatchObject({ state: 'mounted' });
  });

  test('is neither that of another volume, nor in one, nor missing, nor one that has no mark at all', async () => {
    const { server, engine } = start();
    const work = workOf(engine);
    await settle(engine, volume({ volumeUid: OTHER }));
    for (const subDir of ['team/db', 'team/db/inner']) {
      server.put('files:/export', `${subDir}/file`, 'file');
      expect(await reasonOf(work.lookAtFolder(of({ subDir }), signal))).toBe('FolderTaken');
      expect(await reasonOf(work.acceptFolder(of({ subDir }), 'inode 1', signal))).toBe('FolderTaken');
    }
    expect(await reasonOf(work.lookAtFolder(of({ subDir: 'team/none' }), signal))).toBe('FolderLost');
    server.put('files:/export', 'team/file', 'file');
    expect(await reasonOf(work.lookAtFolder(of({ subDir: 'team/file' }), signal))).toBe('FolderLost');
    expect(await reasonOf(work.lookAtFolder(of({ onDelete: 'retain' }), signal))).toBe('FolderNotMarked');
    expect(await reasonOf(work.lookAtFolder({ volume: 'db', share: { ...SHARE, subDir: undefined } }, signal))).toBe(
      'FolderNotMarked',
    );
  });
});

describe('the mount of a volume', () => {
  test('is made, left alone, exchanged when it is dead, and taken away', async () => {
    const { server, engine, machine } = start();
    await settle(engine, volume());
    const mounted = await settle(engine, attachment({ mountOptions: ['nfsvers=4.1', 'hard'] }, { isReadOnly: true }));
    expect(mounted).toMatchObject({ steps: ['mountShare'], now: { state: 'mounted', isAnswering: true } });
    const [entry] = machine.mounts;
    expect(entry).toMatchObject({ source: 'files:/export/team/db', target: '/data' });
    expect(entry?.options).toEqual(['nosuid', 'nodev', 'retry=0', 'nfsvers=4.1', 'hard', 'ro']);
    expect((await settle(engine, attachment())).steps).toEqual([]);
    server.isSilent = true;
    expect((await settle(engine, attachment())).now).toMatchObject({ state: 'mounted', isAnswering: false });
    server.isSilent = false;
    const away = await settle(engine, attachment({}, { isPresent: false }));
    expect(away).toMatchObject({ steps: ['unmountShare'], now: { state: 'absent' } });
  });

  test('shows the folder of the volume, or there is none', async () => {
    const { server, engine, machine } = start();
    await settle(engine, volume());
    // As a server resolves a symlink on the way to a folder: to another export of its own.
    const { host } = machine;
    const mount: typeof host.mounts.mount = (request) =>
      host.mounts.mount(request.source === 'files:/export/team/db' ? { ...request, source: 'files:/secret' } : request);
    const lured = createNfsEngine({ ...machine, hash, host: { ...host, mounts: { ...host.mounts, mount } } });
    expect(await reasonOf(settle(lured, attachment()))).toBe('NotTheFolder');
    expect(machine.mounts).toEqual([]);
    server.put('files:/export', 'team/db', 'symlink', '/secret');
    expect(await reasonOf(settle(engine, attachment()))).toBe('FolderLost');
  });

  test('leaves alone what somebody else has mounted there', async () => {
    const { engine, machine } = start();
    await machine.host.mounts.mount({ source: 'files:/secret', target: '/data', fsType: 'nfs', timeoutMs: 1 });
    expect(await reasonOf(settle(engine, attachment()))).toBe('MountPathOccupied');
    await settle(engine, attachment({}, { isPresent: false }));
    expect(machine.mounts).toHaveLength(1);
  });

  test('has no option outside the list', async () => {
    const { engine } = start();
    await settle(engine, volume());
    expect(await reasonOf(settle(engine, attachment({}, { mountOptions: ['suid'] })))).toBe('MountOptionNotAllowed');
  });
});

test('a machine without mount.nfs, or without a client in its kernel, says so', async () => {
  const { machine } = start();
  const { host } = machine;
  const without = (file: string, more: Partial<typeof host.files> = {}) => {
    const run: typeof host.run = (command) =>
      command.file === file || command.file === 'modprobe'
        ? Promise.reject(new RunError(`cannot start ${command.file}`, { failure: 'spawn', file: command.file }))
        : host.run(command);
    return createNfsEngine({ ...machine, hash, host: { ...host, run, files: { ...host.files, ...more } } }).probe(
      signal,
    );
  };
  expect(await createNfsEngine({ ...machine, hash }).probe(signal)).toEqual({
    isInstalled: true,
    isRunning: true,
    version: '2.6.2',
  });
  expect((await without('mount.nfs')).message).toBe('mount.nfs is not there; install nfs-common');
  const empty = { readText: async () => 'nodev\tproc\n\text4\n' };
  expect((await without('modprobe', empty)).message).toBe('the kernel has no NFS client (module nfs)');
});

test.each([
  ['mount.nfs: access denied by server while mounting files:/export', 'ShareDenied'],
  ['mount.nfs: mounting files:/export failed, reason given by server: No such file or directory', 'NoSuchShare'],
  ['mount.nfs: Failed to resolve server files: Name or service not known', 'UnknownServer'],
  ['mount.nfs: requested NFS version or transport protocol is not supported', 'VersionNotServed'],
  ['mount.nfs: rpc.statd is not running but is required for remote locking.', 'NoLockDaemon'],
  ["mount: /data: unknown filesystem type 'nfs'.", 'NoNfsClient'],
  ['mount.nfs: Resource temporarily unavailable', 'UnknownServer'],
  ['mount.nfs: Connection refused', 'ServerSilent'],
  ['mount.nfs: mount system call failed', 'ServerSilent'],
  ['mount.nfs: something nobody has seen before', 'MountFailed'],
])('%s is told as %s', (stderr, reason) => {
  const error = new RunError('mount failed', { failure: 'exit', file: 'mount', code: 32, stderr });
  const told = describeMountFailure('kube1', 'files:/export', error);
  expect(told.reason).toBe(reason);
  expect(told.message).toContain('files:/export cannot be mounted on kube1');
});
