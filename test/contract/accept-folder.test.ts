/**
 * A file server is set up anew, with the same folders: the real controllers, agents and engine use none of them before a person has said
 * that it is the same.
 */
import { afterEach, expect, test } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createFakeFileServer, type FakeFileServer } from '../../src/engines/nfs/file-server.fake.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import { type AcceptFolderOptions, acceptFolder } from '../../src/usecases/volumes/accept-folder.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { SETTLE_MS } from './agent-life.ts';
import { TARGET_ROOT } from './csi-world.ts';
import { withShareLife } from './share-life-world.ts';
import { createShareMachine } from './share-machine.ts';

const [clock, random] = [createSystemClock(), createSystemRandom()];
const EXPORT = 'files:/export';
const NODES = ['kube1', 'kube2'];
const stop = new AbortController();
afterEach(() => stop.abort());

const until = async <K extends 'Volume' | 'VolumeAttachmentRecord'>(
  client: ResourceClient,
  [kind, name]: readonly [K, string],
  holds: (seen: Resource<K> | undefined) => boolean,
) => {
  await waitForObject(
    { client, clock },
    {
      ...{ kind, name, timeoutMs: SETTLE_MS },
      check: (seen) => (holds(seen) ? true : undefined),
      describeTimeout: (seen) => {
        throw new Error(`waited in vain for ${kind} ${name}: ${JSON.stringify(seen?.status)}`);
      },
    },
  );
};

async function withVolume(
  onDelete: 'delete' | 'archive' | 'retain',
  use: (world: { client: ResourceClient; server: FakeFileServer; mountOn: typeof mountOn }) => Promise<void>,
): Promise<void> {
  const server = createFakeFileServer();
  server.export(EXPORT);
  const machines = new Map(NODES.map((node) => [node, createShareMachine(server, node, [TARGET_ROOT])]));
  await withShareLife({ machines }, async (_world, client) => {
    const share = { server: 'files', path: '/export', subDir: 'team/db', onDelete };
    await client.create('Volume', {
      metadata: { name: 'db' },
      spec: { size: '1Gi', engine: 'nfs', layout: 'single', share },
    });
    await until(client, ['Volume', 'db'], (seen) => seen?.status?.phase === 'Ready');
    server.put(EXPORT, 'team/db/token', 'file', 'data');
    await use({ client, server, mountOn });
  });
}

/** Has it mounted, as a plan would. */
async function mountOn(client: ResourceClient, node: string): Promise<void> {
  const spec = { volume: 'db', node, mountPath: `${TARGET_ROOT}/db`, isReadOnly: false };
  const finalizers = ['holdfast.dev/attachment'];
  await client.create('VolumeAttachmentRecord', { metadata: { name: `db.${node}`, finalizers }, spec });
}
const isMounted = (seen: Resource<'VolumeAttachmentRecord'> | undefined) => seen?.status?.state === 'Mounted';
async function unmount(client: ResourceClient, node: string): Promise<void> {
  await client.delete('VolumeAttachmentRecord', `db.${node}`);
  await until(client, ['VolumeAttachmentRecord', `db.${node}`], (seen) => seen === undefined);
}

const accept = (client: ResourceClient, more: Partial<AcceptFolderOptions> = {}) =>
  acceptFolder({ client, clock, random }, 'db', {
    ...{ waitMs: SETTLE_MS, by: 'ada', confirm: async () => true },
    ...more,
  });
const eventsOf = async (client: ResourceClient) =>
  (await client.list('Event', { namespace: '*' })).items.filter(({ reason }) => reason === 'FolderAccepted');

test.each([
  ['the same inodes and other handles', { keepsInodes: true }],
  ['other inodes', { keepsInodes: false }],
])('of a server with %s a folder is used again when a person says so, and goes with its volume', async (_, how) => {
  await withVolume('delete', async ({ client, server }) => {
    server.setUpAnew(how);
    await mountOn(client, 'kube2');
    // Looked at anew, it is refused: by its mark, or by the mount.
    const isRefused = (seen: Resource<'VolumeAttachmentRecord'> | undefined) =>
      seen?.status?.state === 'Failed' || seen?.status?.state === 'Waiting';
    await until(client, ['VolumeAttachmentRecord', 'db.kube2'], isRefused);

    const shown: unknown[] = [];
    const foreseen = await accept(client, { isDryRun: true });
    expect(foreseen).toMatchObject({
      outcome: 'foreseen',
      names: ['token'],
      hasMore: false,
      source: `${EXPORT}/team/db`,
    });
    expect(foreseen.before).not.toBe(foreseen.identity);
    const kept = accept(client, { confirm: async (seen) => shown.push(seen) === 0 });
    expect(await kept).toMatchObject({ outcome: 'kept' });
    expect(shown).toMatchObject([{ names: ['token'], onDelete: 'delete' }]);
    expect(await client.get('VolumeAttachmentRecord', 'db.kube2')).toSatisfy(isRefused);

    expect(await accept(client)).toMatchObject({ outcome: 'accepted', identity: foreseen.identity });
    await until(client, ['VolumeAttachmentRecord', 'db.kube2'], isMounted);
    expect(server.text(EXPORT, 'team/db/token')).toBe('data');
    await expect
      .poll(() => eventsOf(client), { timeout: SETTLE_MS })
      .toMatchObject([
        {
          message: expect.stringMatching(new RegExp(`${foreseen.identity}.*ada`)),
          involvedObject: { kind: 'Volume', name: 'db' },
        },
      ]);
    const tasks = (await client.list('Task')).items.filter(({ spec }) => spec.action === 'acceptFolder');
    expect(tasks.map(({ spec }) => spec.by)).toEqual(['ada']);

    await unmount(client, 'kube2');
    expect(await accept(client)).toMatchObject({ outcome: 'unchanged' });
    await client.delete('Volume', 'db');
    await until(client, ['Volume', 'db'], (seen) => seen === undefined);
    expect(server.names(EXPORT, 'team')).toEqual([]);
    expect(server.names(EXPORT, '.holdfast/owners')).toEqual([]);
  });
});

test('another folder of that name is erased with its volume only where a person accepted it', async () => {
  await withVolume('delete', async ({ client, server }) => {
    server.remake(EXPORT, 'team/db');
    server.put(EXPORT, 'team/db/precious', 'file');
    expect(await accept(client, { isDryRun: true })).toMatchObject({ names: ['precious'] });
    await client.delete('Volume', 'db');
    await until(client, ['Volume', 'db'], (seen) => seen === undefined);
    expect(server.names(EXPORT, 'team/db')).toEqual(['precious']);
  });
});

test('no folder is accepted while the one of before is mounted, nor where none is known by a mark', async () => {
  await withVolume('archive', async ({ client, server }) => {
    await mountOn(client, 'kube1');
    await until(client, ['VolumeAttachmentRecord', 'db.kube1'], isMounted);
    await expect(accept(client)).rejects.toMatchObject({ kind: 'precondition', reason: 'Mounted' });
    // Nor by an agent that was asked although somebody mounted it in between.
    const uid = (await client.get('Volume', 'db'))?.metadata.uid;
    const spec = { action: 'acceptFolder', volume: 'db', volumeUid: uid, folder: 'inode 1' };
    await client.create('Task', { metadata: { name: 'late' }, spec });
    await waitForObject(
      { client, clock },
      {
        ...{ kind: 'Task', name: 'late', timeoutMs: SETTLE_MS },
        check: (seen) => (seen?.status?.state === 'Failed' ? true : undefined),
        describeTimeout: (seen) => {
          throw new Error(`it does not fail: ${JSON.stringify(seen?.status)}`);
        },
      },
    );
    expect((await client.get('Task', 'late'))?.status?.message).toContain('is mounted at');
    await unmount(client, 'kube1');
    expect(server.text(EXPORT, 'team/db/token')).toBe('data');
  });
  await withVolume('retain', async ({ client }) => {
    await expect(accept(client)).rejects.toMatchObject({ kind: 'unsupported', reason: 'FolderNotMarked' });
  });
});
