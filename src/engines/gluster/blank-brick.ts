/**
 * Brick directories that a power loss has left blank. Neither glusterd nor the brick process syncs what it writes at a
 * volume's creation; until the file system does so by itself (XFS: 30 s), or a user's fsync forces it, a power cut takes
 * it all away. No data that was acknowledged is lost by that, but the brick never starts again: its directory has neither
 * the volume's ID nor the brick's own folder. Measured with GlusterFS 10.3; `reset-brick` fills it from the other copies.
 */
import { isAppError } from '../../domain/errors.ts';
import type { DesiredCopy } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { KeyedMutex } from '../image/keyed-mutex.ts';
import { isCopyPath } from '../image/paths.ts';
import type { GlusterCli } from './cli.ts';
import { resetBrickArgv } from './command.ts';
import { findVolume } from './observe-volume.ts';
import { hasSpareBricks } from './parse.ts';
import type { CopyStep } from './steps.ts';
import { isVolumeKept } from './volume-files.ts';
import { readVolumeId } from './volume-id.ts';

/** `reset-brick ... commit force` starts the brick and marks the other copies. */
const RESET_MS = 120_000;

export interface BlankBrick {
  /** The brick's node, by the name that GlusterFS knows it by. */
  readonly node: string;
  /** There are other copies to fill it from, by this node's GlusterFS. */
  readonly isRedundant: boolean;
  /** What happened, as far as can be seen. */
  readonly message: string;
}

/** Undefined unless a started volume counts on the brick directory and it holds nothing of it. */
export async function findBlankBrick(
  { host, cli }: { readonly host: Host; readonly cli: GlusterCli },
  desired: Pick<DesiredCopy, 'volume' | 'isInUse'>,
  brickPath: string,
  signal: AbortSignal,
): Promise<BlankBrick | undefined> {
  if (await isSurelyWell(host, desired, brickPath)) return undefined;
  const { volume, isInUse } = desired;
  try {
    const info = await findVolume(cli, volume, signal);
    if (info === undefined && isInUse === true) {
      const message = `the copy on ${host.name} is lost: the brick directory ${brickPath} is empty, and GlusterFS there knows of no volume ${volume}, as on a machine that was installed anew`;
      return { node: host.name, isRedundant: false, message };
    }
    const brick = info?.bricks.find((candidate) => candidate.path === brickPath);
    if (info?.state !== 'started' || brick === undefined) return undefined;
    if (await hasVolumeId(host, brickPath, signal)) return undefined;
    const message = `a power loss left the brick directory ${brickPath} on ${host.name} blank`;
    return { node: brick.node, isRedundant: hasSpareBricks(info), message };
  } catch (error) {
    // Without glusterd it cannot be known, and a copy can be made ready all the same.
    if (isAppError(error, 'unavailable')) return undefined;
    throw error;
  }
}

/** As far as files tell: glusterd need not be asked. */
async function isSurelyWell(
  host: Host,
  { volume, isInUse }: Pick<DesiredCopy, 'volume' | 'isInUse'>,
  brickPath: string,
): Promise<boolean> {
  // The brick process makes this folder at its first start.
  if ((await host.files.stat(`${brickPath}/.glusterfs`)) !== undefined) return true;
  // A hundred copies wait for volumes that have yet to be made.
  return isInUse !== true && !(await isVolumeKept(host, volume));
}

/** glusterd sets it when it creates the volume, long before a brick starts. */
async function hasVolumeId(host: Host, brickPath: string, signal: AbortSignal): Promise<boolean> {
  return (await readVolumeId(host, brickPath, signal)) !== undefined;
}

/**
 * Gives a blank brick its identity back and lets the other copies fill it.
 *
 * @throws {AppError} as GlusterFS refuses it, for example while too few of the other copies are there
 */
export async function rebuildBrick(
  { host, cli, locks }: { readonly host: Host; readonly cli: GlusterCli; readonly locks: KeyedMutex },
  { volume, copy, about }: Extract<CopyStep, { step: 'rebuildBrick' }>,
  signal: AbortSignal,
): Promise<void> {
  await locks.run(volume, async () => {
    const info = await findVolume(cli, volume, signal);
    const brick = info?.bricks.find(({ path }) => isCopyPath(path) && path.includes(`/${copy.copyUid}/`));
    if (brick === undefined || (await hasVolumeId(host, brick.path, signal))) return;
    const ask = { about: `cannot ${about}`, resource: `volume ${volume}`, signal, timeoutMs: RESET_MS };
    // Refused when an earlier try came this far; what counts is the second one.
    await cli.ask(resetBrickArgv(volume, brick, 'start'), ask);
    await cli.demand(resetBrickArgv(volume, brick, 'commit'), ask);
  });
}
