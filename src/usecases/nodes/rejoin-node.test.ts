import { describe, expect, it } from 'vitest';
import { createFakeCluster, type FakeCluster } from '../cluster.fake.ts';
import { type RejoinOptions, rejoinNode } from './rejoin-node.ts';

const [OLD, NEW] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const SILENT = 'Connection failed. Please check if gluster daemon is operational.';
const engine = (isRunning: boolean) => [
  isRunning
    ? { name: 'gluster', isInstalled: true, isRunning, id: NEW, isBlank: true, isStranger: true }
    : { name: 'gluster', isInstalled: true, isRunning, message: SILENT },
];

/** kube3 was installed anew, and GlusterFS on it does not answer yet. */
async function reinstalled(): Promise<FakeCluster> {
  const cluster = await createFakeCluster(['kube1', 'kube2']);
  await cluster.addNode('kube3', { engines: engine(false) });
  const { client } = cluster;
  await client.create('StorageCluster', {
    metadata: { name: 'default' },
    spec: { nodes: ['kube1', 'kube2', 'kube3'] },
  });
  const peers = {
    observedBy: 'kube1',
    connected: ['kube2'],
    disconnected: ['kube3'],
    missing: [],
    ids: { kube3: OLD },
  };
  await client.patch('StorageCluster', 'default', { status: { peers } }, { subresource: 'status' });
  return cluster;
}

function rejoin({ client, clock }: FakeCluster, options: Partial<RejoinOptions> = {}) {
  const said: string[] = [];
  const answers = { confirm: async () => true, say: (line: string) => void said.push(line) };
  const outcome = rejoinNode({ client, clock }, 'kube3', { isForced: false, isDryRun: true, ...answers, ...options });
  // Whether it fails is asked later.
  outcome.catch(() => undefined);
  return { outcome, said };
}

describe('a node that is to rejoin', () => {
  it('is waited for while GlusterFS on it does not answer, and what it waits for is said once', async () => {
    const cluster = await reinstalled();
    const { outcome, said } = rejoin(cluster, { waitMs: 60_000 });
    await cluster.clock.advance(10_000);
    expect(said).toEqual([`the new machine is not there yet: ${SILENT}`]);
    await cluster.client.patch(
      'StorageNode',
      'kube3',
      { status: { engines: engine(true) } },
      { subresource: 'status' },
    );
    await cluster.clock.advance(2_000);
    expect(await outcome).toMatchObject({ outcome: 'planned', engineId: OLD, blankEngineId: NEW });
  });

  it('is given up on after the time that it was given, with the reason', async () => {
    const cluster = await reinstalled();
    const { outcome } = rejoin(cluster, { waitMs: 5_000 });
    await cluster.clock.advance(6_000);
    await expect(outcome).rejects.toMatchObject({ kind: 'unavailable', reason: 'NodeNotReady' });
  });

  it('is not waited for by a command that does not wait', async () => {
    const { outcome } = rejoin(await reinstalled());
    await expect(outcome).rejects.toMatchObject({ reason: 'NodeNotReady' });
  });
});
