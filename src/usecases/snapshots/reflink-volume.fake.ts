/** A volume of which snapshots can be taken, in memory, for unit tests of use cases. */
import type { FakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient, type FakeResourceClient } from '../../ports/resource-client.fake.ts';

const GIB = 1024 ** 3;

/** Creates volume gv0 of one copy on kube1, in a pool with reflink, and its snapshot s1. */
export async function createReflinkVolume(clock: FakeClock): Promise<FakeResourceClient> {
  const client = createFakeResourceClient({ clock, random: createSeededRandom(1) });
  const asStatus = { subresource: 'status' } as const;
  const ready = { status: 'True', lastTransitionTime: 't1', reason: 'Served', message: 'serves' } as const;
  await client.create('StorageNode', {
    metadata: { name: 'kube1' },
    spec: { addresses: { ip: '10.9.0.1' }, pools: [{ name: 'default', path: '/pool' }] },
  });
  const pool = { name: 'default', path: '/pool', isReady: true, hasReflink: true, fsType: 'xfs' };
  const room = { capacityBytes: 20 * GIB, freeBytes: 20 * GIB };
  const engine = { name: 'gluster', isInstalled: true, isRunning: true };
  const node = { conditions: [{ ...ready, type: 'Ready' }], pools: [{ ...pool, ...room }], engines: [engine] };
  await client.patch('StorageNode', 'kube1', { status: node }, asStatus);
  const spec = { size: '1Gi', layout: 'single', replicas: 1 } as const;
  const volume = await client.create('Volume', { metadata: { name: 'gv0' }, spec });
  const { uid } = volume.metadata;
  const placed = { copy: 'gv0-0', node: 'kube1', pool: 'default', role: 'data' } as const;
  const bricks = [{ copy: 'gv0-0', node: 'kube1', isOnline: true, isReadable: true }];
  const conditions = [
    { ...ready, type: 'Ready' },
    { ...ready, type: 'Redundant', status: 'False', reason: 'SingleCopy' },
  ];
  const seen = { observedBy: 'kube1', epoch: 1, state: 'Started', engineId: 'e1', bricks } as const;
  const status = { placement: [placed], anchor: 'kube1', epoch: 1, grantedSize: '1Gi', engine: seen, conditions };
  await client.patch('Volume', 'gv0', { status }, asStatus);
  const place = { node: 'kube1', pool: 'default', role: 'data', index: 0, sizeBytes: GIB } as const;
  await client.create('VolumeCopy', {
    metadata: { name: 'gv0-0' },
    spec: { ...place, volume: 'gv0', volumeUid: uid, engine: 'gluster', brick: 'image' },
  });
  await client.patch('VolumeCopy', 'gv0-0', { status: { state: 'Ready', path: '/brick' } }, asStatus);
  await client.create('VolumeSnapshotRecord', { metadata: { name: 's1' }, spec: { volume: 'gv0', volumeUid: uid } });
  const taken = {
    phase: 'Ready',
    volumeSpec: volume.spec,
    copies: { 'gv0-0': { ...place, uid: 'c1', state: 'Taken' } },
  };
  await client.patch('VolumeSnapshotRecord', 's1', { status: taken }, asStatus);
  return client;
}
