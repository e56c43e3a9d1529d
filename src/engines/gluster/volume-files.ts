/**
 * The files in which glusterd describes a volume to its bricks and clients (/var/lib/glusterd/vols/VOLUME/*.vol).
 *
 * glusterd syncs what it cannot rebuild (`info`, `bricks/`), but not these: after a power loss they are there with no
 * bytes in them, and neither brick nor mount starts ("syntax error in line 1"). Measured with GlusterFS 10.3 and XFS.
 */
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { Host } from '../../ports/host.ts';
import type { KeyedMutex } from '../image/keyed-mutex.ts';
import type { GlusterCli } from './cli.ts';
import { volumeSetArgv } from './command.ts';
import { findVolume } from './observe-volume.ts';

const FOLDER = '/var/lib/glusterd/vols';
const OPTION = 'network.ping-timeout';
/** What GlusterFS uses when the option was never set. */
const OPTION_DEFAULT = '42';

/** True when glusterd on this node keeps a volume of this name; without asking it, which takes 50 ms of a processor. */
export async function isVolumeKept(host: Host, volume: string): Promise<boolean> {
  return (await host.files.stat(`${FOLDER}/${parseEngineVolumeName(volume)}/info`)) !== undefined;
}

/** True when a description of the volume on this node has lost its contents; false where there is no such volume. */
export async function hasEmptyVolumeFile(host: Host, volume: string): Promise<boolean> {
  const folder = `${FOLDER}/${parseEngineVolumeName(volume)}`;
  const names = (await host.files.list(folder)).filter((name) => name.endsWith('.vol'));
  const infos = await Promise.all(names.map((name) => host.files.stat(`${folder}/${name}`)));
  return infos.some((info) => info?.type === 'file' && info.sizeBytes === 0);
}

/**
 * Lets glusterd write the descriptions anew, on all nodes, by setting an option to the value that it has. Changes nothing
 * else, needs no restart, and is safe to repeat.
 *
 * @throws {AppError} as GlusterFS refuses it, for example while the node has not found the others yet
 */
export async function rewriteVolumeFiles(
  { cli, locks }: { readonly cli: GlusterCli; readonly locks: KeyedMutex },
  volume: string,
  signal: AbortSignal,
): Promise<void> {
  await locks.run(volume, async () => {
    const info = await findVolume(cli, volume, signal);
    if (info === undefined) return;
    const value = info.options[OPTION] ?? OPTION_DEFAULT;
    await cli.demand(volumeSetArgv(volume, { [OPTION]: value }), {
      about: `cannot let GlusterFS describe ${volume} anew`,
      resource: `volume ${volume}`,
      signal,
    });
  });
}
