/** What every simulation must end in: a volume that is whole, or one that is wholly gone. */
import { engineNameOf } from '../../src/domain/volume/engine-name.ts';
import type { SimCluster } from './cluster.ts';

/** In all that a volume's life needs: several waits of up to 25 s (silent watches) and of 10 s (backoff), one after another. */
const PATIENCE_MS = 5 * 60_000;

/** Lets time pass until the volume is whole. @throws {Error} when it is not within simulated minutes */
export async function expectWhole(sim: SimCluster, name: string): Promise<void> {
  await sim.until(`${name} is whole`, () => isWhole(sim, name), PATIENCE_MS);
}

/** Lets time pass until nothing is left of any volume. @throws {Error} when something is after simulated minutes */
export async function expectWhollyGone(sim: SimCluster): Promise<void> {
  await sim.until('everything is gone', () => isWhollyGone(sim), PATIENCE_MS);
}

/**
 * Ready, every copy Ready, started in the engine with exactly the placed bricks in order, all of them serving, and
 * mounted where it is wanted.
 */
export function isWhole({ seen, gluster }: SimCluster, name: string): boolean {
  const volume = seen.Volume.get(name);
  if (volume === undefined) return false;
  const found = gluster.state.volumes.get(engineNameOf(volume));
  const placement = volume.status?.placement ?? [];
  if (volume.status?.phase !== 'Ready' || found?.isStarted !== true || placement.length === 0) return false;
  const wanted = placement.map((placed) => {
    const copy = seen.VolumeCopy.get(placed.copy);
    return copy?.status?.state === 'Ready' ? `${placed.node}:${copy.status.path}` : 'not ready';
  });
  if (!found.bricks.every((brick) => gluster.state.serves(brick))) return false;
  const isMade = wanted.join() === found.bricks.map((brick) => `${brick.node}:${brick.path}`).join();
  const attachments = [...seen.VolumeAttachmentRecord.values()].filter((record) => record.spec.volume === name);
  return isMade && attachments.every((record) => isMounted({ seen, gluster }, record.metadata.name));
}

function isMounted({ seen, gluster }: Pick<SimCluster, 'seen' | 'gluster'>, name: string): boolean {
  const record = seen.VolumeAttachmentRecord.get(name);
  if (record === undefined || record.status?.state !== 'Mounted') return false;
  const mount = gluster.state.node(record.spec.node).mounts.get(record.spec.mountPath);
  const volume = seen.Volume.get(record.spec.volume);
  return volume !== undefined && mount?.source === engineNameOf(volume) && mount.isServed;
}

/** No object in the API and nothing in the engine or on any node. */
export function isWhollyGone({ seen, gluster }: SimCluster): boolean {
  const objects = seen.Volume.size + seen.VolumeCopy.size + seen.VolumeAttachmentRecord.size;
  return objects === 0 && gluster.residue().length === 0;
}

/** Marks a volume and its mounts for deletion, as `kubectl delete` of each would. */
export async function deleteVolumeAndMounts({ world, seen }: SimCluster, name: string): Promise<void> {
  for (const record of [...seen.VolumeAttachmentRecord.values()]) {
    if (record.spec.volume === name) await world.client.delete('VolumeAttachmentRecord', record.metadata.name);
  }
  await world.client.delete('Volume', name);
}
