import { describe, expect, it } from 'vitest';
import { clusterOf } from '../simulate/cluster.fake.ts';
import type { StoredCluster } from '../simulate/stored-cluster.ts';
import { planRejoin } from './plan-rejoin.ts';

const [OLD, NEW] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const NODES = [{ name: 'kube1' }, { name: 'kube2' }, { name: 'kube3' }];

interface Seen {
  readonly engine?: Record<string, unknown>;
  readonly isConnected?: boolean;
  readonly observedBy?: string;
  readonly isPoolReady?: boolean;
  /** State of each copy on kube3, by volume. */
  readonly states?: Readonly<Record<string, 'Ready' | 'Suspect' | 'Preparing'>>;
  readonly seenInBoot?: string;
}

/** A cluster whose kube3 was installed anew. */
function reinstalled(volumes: Parameters<typeof clusterOf>[1], seen: Seen = {}): StoredCluster {
  const { engine = {}, isConnected = false, observedBy = 'kube1', isPoolReady = true, states = {} } = seen;
  const stored = clusterOf(NODES, volumes);
  const peers = {
    observedBy,
    connected: isConnected ? ['kube2', 'kube3'] : ['kube2'],
    disconnected: [],
    missing: [],
    ids: { kube3: OLD },
  };
  return {
    ...stored,
    clusters: [
      {
        ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageCluster', metadata: { name: 'default' } },
        spec: { nodes: NODES.map(({ name }) => name) },
        status: { anchor: observedBy, peers },
      },
    ],
    nodes: stored.nodes.map((node) =>
      node.metadata.name !== 'kube3'
        ? node
        : {
            ...node,
            status: {
              ...node.status,
              bootId: 'this-boot',
              engines: [
                {
                  name: 'gluster',
                  isInstalled: true,
                  isRunning: true,
                  id: NEW,
                  isBlank: true,
                  isStranger: true,
                  ...engine,
                },
              ],
              pools: (node.status?.pools ?? []).map((pool) => ({ ...pool, isReady: isPoolReady })),
            },
          },
    ),
    copies: stored.copies.map((copy) => ({
      ...copy,
      status: { state: states[copy.spec.volume] ?? 'Suspect', bootId: seen.seenInBoot ?? 'this-boot' },
    })),
  };
}

describe('planRejoin', () => {
  it('fills lost copies from those that serve, keeps what is there, and names what nothing can fill', () => {
    const stored = reinstalled(
      [
        { name: 'lost', nodes: ['kube1', 'kube2', 'kube3'] },
        { name: 'kept', nodes: ['kube1', 'kube2', 'kube3'] },
        { name: 'only', layout: 'single', nodes: ['kube3'] },
        { name: 'down', nodes: ['kube1', 'kube2', 'kube3'], down: [0, 1] },
        { name: 'new', nodes: ['kube1', 'kube2', 'kube3'] },
        { name: 'other', layout: 'single', nodes: ['kube1'] },
      ],
      { states: { kept: 'Ready', new: 'Preparing' } },
    );
    const plan = planRejoin(stored, 'kube3');
    expect(plan).toMatchObject({ engineId: OLD, blankEngineId: NEW });
    expect(plan.replace.map(({ volume, sources }) => [volume, sources])).toEqual([['lost', ['kube1', 'kube2']]]);
    expect(plan.kept.map(({ volume }) => volume)).toEqual(['kept']);
    expect(plan.hopeless.map(({ volume }) => volume)).toEqual(['only', 'down']);
  });

  it('never fills a copy from an arbiter, which holds no data', () => {
    const stored = reinstalled([{ name: 'gv0', layout: 'arbiter', nodes: ['kube1', 'kube3', 'kube2'], down: [0] }]);
    expect(planRejoin(stored, 'kube3')).toMatchObject({ replace: [], hopeless: [{ volume: 'gv0', sources: [] }] });
  });

  it('waits for no image of a snapshot: it takes room like a copy, and is none', () => {
    const stored = reinstalled([{ name: 'gv0', nodes: ['kube1', 'kube2', 'kube3'] }]);
    const [copy] = stored.copies.filter(({ spec }) => spec.node === 'kube3');
    if (copy === undefined) throw new Error('kube3 has no copy');
    const { status: _, ...image } = { ...copy, metadata: { name: 's' }, spec: { ...copy.spec, volume: 'snapshot s' } };
    const plan = planRejoin({ ...stored, copies: [...stored.copies, image] }, 'kube3');
    expect(plan).toEqual(planRejoin(stored, 'kube3'));
  });

  it('asks for no identity where the node has its own', () => {
    const plan = planRejoin(reinstalled([], { engine: { id: OLD, isStranger: false, isBlank: false } }), 'kube3');
    expect(plan).toEqual({ node: 'kube3', engineId: OLD, replace: [], hopeless: [], kept: [] });
  });

  it.each([
    ['the old machine still runs', { isConnected: true }, 'IdentityInUse'],
    ['no other member has looked', { observedBy: 'kube3' }, 'NotSeenGone'],
    ['its GlusterFS is not blank', { engine: { isBlank: false } }, 'EngineNotBlank'],
    ['its GlusterFS does not run', { engine: { isRunning: false } }, 'NodeNotReady'],
    ['a pool is not there, which may hold the copies', { isPoolReady: false }, 'PoolNotReady'],
    ['its copies were not looked at in this boot', { seenInBoot: 'the-boot-before' }, 'CopiesNotSeen'],
  ] as const)('refuses while %s', (_name, seen, reason) => {
    const stored = reinstalled([{ name: 'gv0', nodes: ['kube1', 'kube2', 'kube3'] }], seen);
    expect(() => planRejoin(stored, 'kube3')).toThrow(expect.objectContaining({ reason }));
  });

  it('has nothing to do with a node that was never a member', () => {
    expect(() => planRejoin(reinstalled([]), 'kube2')).toThrow(expect.objectContaining({ reason: 'NotAMember' }));
  });
});
