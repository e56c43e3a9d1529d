/** A cluster in memory for unit tests of use cases and commands: nodes that report, and volumes that get ready at once. */
import { GIB } from '../domain/bytes.ts';
import { createFakeClock, type FakeClock } from '../ports/clock.fake.ts';
import { createSeededRandom } from '../ports/random.fake.ts';
import { createFakeResourceClient, type FakeResourceClient } from '../ports/resource-client.fake.ts';
import type { StorageNodeStatus } from '../schemas/storage-node.ts';
import type { VolumeStatus } from '../schemas/volume.ts';

export interface FakeCluster {
  readonly client: FakeResourceClient;
  readonly clock: FakeClock;
  /** Adds a node with one pool "default" of 10 GiB, of which 9 are free, and a heartbeat. */
  addNode(name: string, overrides?: Partial<StorageNodeStatus>): Promise<void>;
  /** Writes the status that controller and agents would write for a volume whose copies are all current. */
  makeReady(volume: string, overrides?: Partial<VolumeStatus>): Promise<void>;
}

/** Creates a cluster with these nodes. */
export async function createFakeCluster(nodes: readonly string[] = []): Promise<FakeCluster> {
  const clock = createFakeClock();
  const client = createFakeResourceClient({ clock, random: createSeededRandom(1) });
  const lastTransitionTime = '2026-01-01T00:00:00Z';

  const addNode = async (name: string, overrides: Partial<StorageNodeStatus> = {}): Promise<void> => {
    const number = Number(/\d+$/.exec(name)?.[0] ?? 1);
    const pools = [{ name: 'default', path: '/mnt/glusterVolume0' }];
    const spec = { addresses: { ip: `10.91.0.${number}` }, pools };
    await client.create('StorageNode', { metadata: { name }, spec });
    const status: StorageNodeStatus = {
      bootId: `boot-${name}`,
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true, version: '10.3' }],
      pools: pools.map((pool) => ({ ...pool, isReady: true, capacityBytes: 10 * GIB, freeBytes: 9 * GIB })),
      conditions: [
        { type: 'Ready', status: 'True', reason: 'HeartbeatFresh', message: 'the agent reports', lastTransitionTime },
      ],
      ...overrides,
    };
    await client.patch('StorageNode', name, { status }, { subresource: 'status' });
  };

  const makeReady = async (volume: string, overrides: Partial<VolumeStatus> = {}): Promise<void> => {
    const { items } = await client.list('StorageNode');
    const placement = items.slice(0, 3).map((node, index) => {
      return { copy: `${volume}-${index}`, node: node.metadata.name, pool: 'default', role: 'data' as const };
    });
    const bricks = placement.map(({ copy, node }) => ({
      copy,
      node,
      isOnline: true,
      isReadable: true,
      nodeReadySince: lastTransitionTime,
      pendingHeals: 0,
    }));
    const condition = (type: string, reason: string, message: string) => {
      return { type, status: 'True' as const, reason, message, lastTransitionTime };
    };
    const status: VolumeStatus = {
      phase: 'Ready',
      placement,
      anchor: placement[0]?.node ?? 'none',
      epoch: 1,
      engine: { observedBy: placement[0]?.node ?? 'none', epoch: 1, state: 'Started', bricks },
      conditions: [
        condition('Ready', 'Served', '3 of 3 copies serve'),
        condition('Redundant', 'AllCopiesCurrent', 'all 3 copies are current'),
      ],
      ...overrides,
    };
    await client.patch('Volume', volume, { status }, { subresource: 'status' });
  };

  for (const name of nodes) await addNode(name);
  return { client, clock, addNode, makeReady };
}
