/** A cluster of three nodes with which all is well, for tests that put one thing wrong. */

import type { NodeFacts } from '../../schemas/node-facts.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import { GIB } from '../bytes.ts';
import type { DoctorWorld, Examination } from './world.ts';

export const FAKE_NODES = ['kube1', 'kube2', 'kube3'] as const;
const NOW = Date.parse('2026-06-01T00:00:00Z');
const SINCE = '2026-05-01T00:00:00Z';
const own = { apiVersion: 'holdfast.dev/v1alpha1' } as const;

/** What the agent of a healthy node tells. */
export function healthyFacts(node: string): NodeFacts {
  const others = FAKE_NODES.filter((other) => other !== node);
  return {
    agentVersion: '1.2.3',
    ...{ startedAt: NOW + 100, finishedAt: NOW + 900 },
    kernel: { release: '6.1.0', hasFuse: true, hasXfs: true, hasLoop: true, hasDmCrypt: false },
    packages: { glusterfs: '10.3', xfsprogs: '6.1.0' },
    certificates: [{ name: "the agent's client certificate", notAfter: NOW + 365 * 86_400_000 }],
    unreachable: [],
    engine: {
      ...{ name: 'gluster', isAnswering: true, version: '10.3', id: `uuid-of-${node}` },
      ...{ opVersion: 100000, maxOpVersion: 100000, noticesLostPeers: true },
      peers: others.map((other) => {
        return {
          uuid: `uuid-of-${other}`,
          names: [other],
          isConnected: true,
          isMember: true,
          stateText: 'Peer in Cluster',
        };
      }),
      bricks: [{ volume: 'gv0', path: '/pool/.holdfast/copies/u/mnt/data/brick', isOnline: true }],
      mounts: [{ path: '/data', source: 'kube1:/gv0', state: 'answering' }],
      copyFolders: [{ pool: 'default', path: '/pool/.holdfast/copies/u', copyUid: `copy-on-${node}` }],
      ...{ emptyVolumeFiles: [], endpoints: [], leftovers: [], blind: [] },
    },
  };
}

/** The whole of it. @param change - what a test puts wrong about the facts of a node */
export function healthyWorld(change: (facts: NodeFacts, node: string) => NodeFacts = (facts) => facts): DoctorWorld {
  const condition = (type: string, reason: string, message: string) => {
    return { type, status: 'True' as const, reason, message, lastTransitionTime: SINCE };
  };
  const nodes: StorageNode[] = FAKE_NODES.map((name, index) => ({
    ...own,
    kind: 'StorageNode',
    metadata: { name },
    spec: { addresses: { ip: `10.0.0.${index + 1}` }, pools: [{ name: 'default', path: '/pool' }] },
    status: {
      agentVersion: '1.2.3',
      conditions: [condition('Ready', 'HeartbeatFresh', 'the agent reports')],
      pools: [
        {
          name: 'default',
          path: '/pool',
          isReady: true,
          capacityBytes: 10 * GIB,
          freeBytes: 9 * GIB,
          hasReflink: true,
        },
      ],
    },
  }));
  const volume: Volume = {
    ...own,
    kind: 'Volume',
    metadata: { name: 'gv0' },
    spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', replicas: 3, pool: 'default', brick: 'image' },
    status: {
      phase: 'Ready',
      anchor: 'kube1',
      conditions: [condition('Ready', 'Served', 'served'), condition('Redundant', 'AllCopiesCurrent', 'all current')],
      engine: {
        ...{ observedBy: 'kube1', epoch: 1, state: 'Started' },
        bricks: FAKE_NODES.map((node) => ({ copy: node, node, isOnline: true, isReadable: true, pendingHeals: 0 })),
      },
    },
  };
  const examine = (node: string): Examination => {
    return { facts: change(healthyFacts(node), node), askedAt: NOW, answeredAt: NOW + 2_000 };
  };
  return {
    nodes,
    volumes: [volume],
    copies: FAKE_NODES.map((node, index) => ({
      ...own,
      kind: 'VolumeCopy',
      metadata: { name: `gv0-${index}`, uid: `copy-on-${node}` },
      spec: {
        ...{ volume: 'gv0', volumeUid: 'v', node, pool: 'default', role: 'data', index, engine: 'gluster' },
        ...{ brick: 'image', sizeBytes: GIB },
      },
    })),
    attachments: FAKE_NODES.map((node) => ({
      ...own,
      kind: 'VolumeAttachmentRecord',
      metadata: { name: `gv0.${node}` },
      spec: { volume: 'gv0', node, mountPath: '/data', isReadOnly: false },
      status: { state: 'Mounted', connectedCopies: 3, copies: 3 },
    })),
    clusters: [
      {
        ...own,
        kind: 'StorageCluster',
        metadata: { name: 'default' },
        spec: { nodes: [...FAKE_NODES] },
        status: { anchor: 'kube2', controllerVersion: '1.2.3' },
      },
    ],
    examinations: new Map(FAKE_NODES.map((node) => [node, examine(node)])),
    version: '1.2.3',
    now: NOW,
  };
}
