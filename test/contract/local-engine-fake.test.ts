/** The model that the simulator uses keeps the promises that the real local engine keeps. */
import { createFakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeLocalEngine } from '../../src/engines/local/engine.fake.ts';
import { createFakeVolumeKeys } from '../../src/ports/volume-keys.fake.ts';
import { describeLocalEngine } from './local-engine.contract.ts';

describeLocalEngine('the model', async () => {
  const cluster = createFakeCluster(['kube1']);
  const node = cluster.state.node('kube1');
  const keys = createFakeVolumeKeys();
  return {
    node: 'kube1',
    poolPath: '/pool',
    mountsPath: '/mnt',
    keys: keys.keys,
    engine: (around) => createFakeLocalEngine(node, { keys, ...(around === undefined ? {} : { around }) }),
    occupy: async (mountPath) => cluster.occupy('kube1', mountPath),
    release: async (mountPath) => void node.mounts.delete(mountPath),
    breakDisk: async ({ copyUid }) => {
      const copy = node.copies.get(copyUid);
      if (copy !== undefined) copy.isShutDown = true;
    },
    restart: async ({ copyUid }) => {
      const copy = node.copies.get(copyUid);
      if (copy !== undefined) copy.isMounted = false;
    },
    loseDisk: async ({ copyUid }) => void node.copies.delete(copyUid),
    residue: async () => cluster.residue(),
    stop: async () => undefined,
  };
});
