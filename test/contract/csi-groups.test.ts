/** CSI GroupController over the real use cases: snapshots of several volumes, by the letter of the CSI text. */
import { Status } from 'nice-grpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VolumeCapability_AccessMode_Mode as Mode, PluginCapability_Service_Type } from '../../src/gen/csi/csi.ts';
import { blockOf, type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

const GIB = 1024n ** 3n;
let world: CsiWorld;
let csi: CsiClient;

beforeEach(async () => {
  world = await startCsiWorld();
  csi = createCsiClient(world);
});

afterEach(async () => {
  csi.close();
  await world.stop();
});

interface Wish {
  readonly node?: string;
  readonly capability?: ReturnType<typeof blockOf>;
  readonly parameters?: Readonly<Record<string, string>>;
}

async function make(name: string, { node = 'kube1', ...wish }: Wish = {}): Promise<void> {
  const { capability = mountable(Mode.SINGLE_NODE_WRITER), parameters = { engine: 'local' } } = wish;
  const segments = { 'topology.holdfast.dev/node': node };
  await csi.controller.createVolume({
    ...{ name, volumeCapabilities: [capability], capacityRange: { requiredBytes: GIB, limitBytes: 0n } },
    parameters: { ...parameters },
    accessibilityRequirements: { requisite: [{ segments }], preferred: [{ segments }] },
  });
}

const create = (sourceVolumeIds: readonly string[], name = 'g1') =>
  csi.groups.createVolumeGroupSnapshot({ name, sourceVolumeIds: [...sourceVolumeIds] });

async function left(): Promise<readonly string[]> {
  const [groups, snapshots] = await Promise.all([
    world.client.list('VolumeGroupSnapshotRecord'),
    world.client.list('VolumeSnapshotRecord'),
  ]);
  return [...groups.items, ...snapshots.items].map(({ metadata }) => metadata.name);
}

describe('a group of snapshots', () => {
  test('is told as a capability of the plugin and of the service', async () => {
    const { capabilities } = await csi.identity.getPluginCapabilities({});
    const services = capabilities.flatMap(({ type }) => (type?.$case === 'service' ? [type.value.type] : []));
    expect(services).toContain(PluginCapability_Service_Type.GROUP_CONTROLLER_SERVICE);
    const { capabilities: own } = await csi.groups.groupControllerGetCapabilities({});
    expect(own).toMatchObject([{ type: { value: { type: 1 } } }]);
  });

  test('is the same however often it is asked for, in whatever order, also at once and when a volume is gone', async () => {
    for (const name of ['data', 'logs']) await make(name);
    const { groupSnapshot } = await create(['data', 'logs']);
    expect(groupSnapshot).toMatchObject({
      ...{ groupSnapshotId: 'g1', readyToUse: true },
      snapshots: [
        { snapshotId: 'g1-1', sourceVolumeId: 'data', sizeBytes: GIB, readyToUse: true, groupSnapshotId: 'g1' },
        { snapshotId: 'g1-2', sourceVolumeId: 'logs', sizeBytes: GIB, readyToUse: true, groupSnapshotId: 'g1' },
      ],
    });
    expect((await create(['logs', 'data', 'logs'])).groupSnapshot).toEqual(groupSnapshot);
    const answers = await Promise.allSettled([create(['data', 'logs'], 'g2'), create(['data', 'logs'], 'g2')]);
    expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true);
    await csi.controller.deleteVolume({ volumeId: 'logs' });
    expect((await create(['logs', 'data'])).groupSnapshot).toEqual(groupSnapshot);
    expect((await csi.groups.getVolumeGroupSnapshot({ groupSnapshotId: 'g1' })).groupSnapshot).toEqual(groupSnapshot);
    expect([...(await left())].toSorted()).toEqual(['g1', 'g1-1', 'g1-2', 'g2', 'g2-1', 'g2-2']);
  });

  test('of a name that has other volumes is another', async () => {
    for (const name of ['data', 'logs']) await make(name);
    await create(['data', 'logs']);
    for (const other of [['data'], ['logs']]) {
      expect(await refusalOf(create(other))).toMatchObject({ code: Status.ALREADY_EXISTS });
    }
    await csi.controller.deleteVolume({ volumeId: 'logs' });
    await make('logs');
    const again = await refusalOf(create(['data', 'logs']));
    expect(again).toMatchObject({ code: Status.ALREADY_EXISTS });
    expect(again.details).toContain('earlier volume logs');
  });

  test.each([
    ['on another node', { node: 'kube2' }, 'on node kube2, and data on kube1'],
    ['that is a device', { capability: blockOf(Mode.SINGLE_NODE_WRITER) }, 'is a device'],
    ['in a plain folder', { parameters: { engine: 'local', brick: 'directory' } }, 'plain folder'],
    ['of GlusterFS', { parameters: { engine: 'gluster' }, capability: mountable() }, 'engine gluster'],
  ] as const)('takes no volume %s, names it, and stores nothing', async (_what, wish, words) => {
    await make('data');
    await make('other', wish);
    const refusal = await refusalOf(create(['data', 'other']));
    expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(refusal.details).toContain('volume other');
    expect(refusal.details).toContain(words);
    expect(await left()).toEqual([]);
  });

  test('of no volume, of one that is not there, or with parameters is refused', async () => {
    await make('data');
    expect(await refusalOf(create([]))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await refusalOf(create(['data'], ''))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await refusalOf(create(['data', 'none']))).toMatchObject({ code: Status.NOT_FOUND });
    const call = { name: 'g1', sourceVolumeIds: ['data'] };
    const odd = csi.groups.createVolumeGroupSnapshot({ ...call, parameters: { shard: 'true' } });
    expect(await refusalOf(odd)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    const none = csi.groups.getVolumeGroupSnapshot({ groupSnapshotId: 'none' });
    expect(await refusalOf(none)).toMatchObject({ code: Status.NOT_FOUND });
    expect(await left()).toEqual([]);
    const parameters = { 'csi.storage.k8s.io/volumegroupsnapshot/name': 'nightly' };
    expect((await csi.groups.createVolumeGroupSnapshot({ ...call, parameters })).groupSnapshot?.readyToUse).toBe(true);
  });

  test('is deleted as a whole: none of its snapshots alone, and no other snapshots with it', async () => {
    for (const name of ['data', 'logs']) await make(name);
    await create(['data', 'logs']);
    const alone = await refusalOf(csi.controller.deleteSnapshot({ snapshotId: 'g1-1' }));
    expect(alone).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(alone.details).toContain('group g1');
    const { entries } = await csi.controller.listSnapshots({ sourceVolumeId: 'logs' });
    expect(entries).toMatchObject([{ snapshot: { snapshotId: 'g1-2', groupSnapshotId: 'g1', readyToUse: true } }]);
    for (const snapshotIds of [['g1-1'], ['g1-1', 'g1-2', 'other']]) {
      const wrong = { groupSnapshotId: 'g1', snapshotIds };
      expect(await refusalOf(csi.groups.getVolumeGroupSnapshot(wrong))).toMatchObject({
        code: Status.INVALID_ARGUMENT,
      });
      const call = csi.groups.deleteVolumeGroupSnapshot(wrong);
      expect(await refusalOf(call)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
    expect(await left()).toHaveLength(3);
    for (let round = 0; round < 2; round += 1) {
      await csi.groups.deleteVolumeGroupSnapshot({ groupSnapshotId: 'g1', snapshotIds: ['g1-2', 'g1-1'] });
    }
    expect(await left()).toEqual([]);
  });

  test('has snapshots that volumes are made from', async () => {
    for (const name of ['data', 'logs']) await make(name);
    world.data.set('volume logs', 'as it was');
    await create(['data', 'logs']);
    world.data.set('volume logs', 'as it is');
    await csi.controller.createVolume({
      name: 'twin',
      capacityRange: { requiredBytes: GIB, limitBytes: 0n },
      volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER)],
      parameters: { engine: 'local' },
      volumeContentSource: { type: { $case: 'snapshot', value: { snapshotId: 'g1-2' } } },
    });
    expect(world.data.get('volume twin')).toBe('as it was');
    await csi.groups.deleteVolumeGroupSnapshot({ groupSnapshotId: 'g1' });
    expect(await left()).toEqual([]);
  });
});
