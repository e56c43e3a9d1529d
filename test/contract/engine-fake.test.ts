/** The model that the simulator uses keeps the promises that real GlusterFS keeps. */
import { createFakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeGlusterEngine } from '../../src/engines/gluster/engine.fake.ts';
import { describeEngine } from './engine.contract.ts';
import { settle } from './engine-harness.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const PATIENCE = { tries: 50, pause: async () => undefined };

describeEngine('the fake cluster', async () => {
  const cluster = createFakeCluster(NODES);
  const join = { subject: 'peers', self: 'kube1', members: NODES } as const;
  await settle<'peers'>(createFakeGlusterEngine(cluster, 'kube1'), join, { ...PATIENCE, signal: AbortSignal.any([]) });
  return {
    nodes: NODES,
    poolPath: '/pool',
    engine: (node, around) => createFakeGlusterEngine(cluster, node, around === undefined ? {} : { around }),
    powerOff: async (node) => cluster.powerOff(node),
    powerOn: async (node) => cluster.powerOn(node),
    killBrick: async (node, volume) => cluster.killBrick(node, volume),
    breakDisk: async (node, copy) => cluster.breakDisk(node, copy.volume),
    occupy: async (node, mountPath) => cluster.occupy(node, mountPath),
    release: async (node, mountPath) => void cluster.state.node(node).mounts.delete(mountPath),
    write: async (node, { volume, mountPath }) =>
      cluster.mountState(node, mountPath) === 'mounted' && cluster.write(node, volume),
    killMount: async (node, mountPath) => cluster.killMount(node, mountPath),
    residue: async () => cluster.residue(),
    patience: PATIENCE,
    stop: async () => undefined,
  };
});
