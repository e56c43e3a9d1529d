/**
 * Pools in /etc/fstab. The agent mounts them too, but bricks are started by glusterd at boot, maybe before the agent runs
 * or while it cannot: they must find their disk. `nofail`, so that a dead disk does not keep the machine from starting;
 * by UUID, since device names change, and only what the agent itself reports as a pool it has mounted.
 */
import { withBlock } from '../../domain/install/marked-block.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { PoolStatus } from '../../schemas/storage-node.ts';
import { type NodeStep, readIfThere } from './node-steps.ts';

const FSTAB = '/etc/fstab';
const OPTIONS = 'noatime,inode64,nofail,x-systemd.device-timeout=15s';

/** The step; it reads what the agents report now. */
export function fstabStep(client: ResourceClient): NodeStep {
  const wanted = async (node: string, text: string) => {
    const pools = (await client.get('StorageNode', node))?.status?.pools ?? [];
    return withBlock(text, fstabLines(pools));
  };
  return {
    name: 'fstab',
    look: async ({ host, node }) => {
      const text = (await readIfThere(host, FSTAB)) ?? '';
      return (await wanted(node.name, text)) === text ? undefined : `change ${FSTAB}`;
    },
    act: async ({ host, node }) => {
      const text = (await readIfThere(host, FSTAB)) ?? '';
      await host.files.writeText(FSTAB, await wanted(node.name, text));
    },
  };
}

/** The entries of the pools that are on a device of their own. */
export function fstabLines(pools: readonly PoolStatus[]): readonly string[] {
  return pools.flatMap(({ fsUuid, path, fsType }) =>
    fsUuid === undefined || fsType !== 'xfs' ? [] : [`UUID=${fsUuid} ${escapeField(path)} xfs ${OPTIONS} 0 0`],
  );
}

/** fstab(5): blanks are written as octal escapes. */
function escapeField(path: string): string {
  return path.replaceAll(/[\\ \t\n]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
