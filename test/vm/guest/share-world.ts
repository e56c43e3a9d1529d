/** Both CSI services over shares that are really mounted, from an NFS server on the same machine: for a guest. */
import { mkdir } from 'node:fs/promises';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from '../../contract/csi-world.ts';
import { type NfsServer, startNfsServer } from './nfs-server.ts';
import { createShareHost } from './share-host.ts';

export const [SERVER, EXPORT, NODE] = ['127.0.0.1', '/srv/export', 'kube1'] as const;

export interface ShareWorld {
  readonly world: CsiWorld;
  readonly server: NfsServer;
}

/** Starts everything; once in a guest. */
export async function startShareWorld(): Promise<ShareWorld> {
  await mkdir(TARGET_ROOT, { recursive: true });
  const server = await startNfsServer({ [EXPORT]: SERVER });
  const { host, mounter } = createShareHost(NODE);
  const world = await startCsiWorld({ nodes: [NODE], hostOf: () => host, mounter });
  for (const { metadata, status } of (await world.client.list('StorageNode')).items) {
    const engines = [...(status?.engines ?? []), { name: 'nfs', isInstalled: true, isRunning: true }];
    await world.client.patch('StorageNode', metadata.name, { status: { engines } }, { subresource: 'status' });
  }
  return { world, server };
}
