/** The repairs of `holdfast doctor --fix` on GlusterFS. Each looks again before it acts, and none can lose data. */

import type { Repair } from '../../domain/doctor/repair.ts';
import { AppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { createKeyedMutex, type KeyedMutex } from '../image/keyed-mutex.ts';
import { plainPath } from '../image/paths.ts';
import { observeAttachment } from './attachment.ts';
import type { GlusterCli } from './cli.ts';
import { healArgv, volumeStartArgv } from './command.ts';
import { raiseOpVersionArgv, volumeInfoAllArgv } from './doctor-command.ts';
import { VOLUME_ID } from './examine-pools.ts';
import { findVolume } from './observe-volume.ts';
import { parseVolumeInfo } from './parse.ts';
import { rewriteVolumeFiles } from './volume-files.ts';

const CHANGE_MS = 120_000;
const SHORT_MS = 20_000;

interface RepairDeps {
  readonly host: Host;
  readonly cli: GlusterCli;
}

/** Carries out repairs on one node. */
export function createRepairs({ host, cli }: RepairDeps): (repair: Repair, signal: AbortSignal) => Promise<void> {
  const locks: KeyedMutex = createKeyedMutex();
  return async (repair, signal) => {
    switch (repair.repair) {
      case 'raiseOpVersion': {
        const ask = { about: 'cannot raise the op-version', resource: 'pool', signal, timeoutMs: CHANGE_MS };
        await cli.demand(raiseOpVersionArgv(repair.version), ask);
        return;
      }
      case 'rewriteVolumeFiles':
        return rewriteVolumeFiles({ cli, locks }, repair.volume, signal);
      case 'startBricks':
        return startBricks(cli, repair.volume, signal);
      case 'healVolume': {
        const ask = { about: `cannot heal volume ${repair.volume}`, resource: `volume ${repair.volume}`, signal };
        // What it answers is text, and "not yet" is no error: what is pending is healed by itself too.
        await cli.text(healArgv(repair.volume), { ...ask, timeoutMs: CHANGE_MS });
        return;
      }
      case 'detachMount':
        return detachMount(host, repair.path, signal);
      case 'removeVolumeId':
        return removeVolumeId({ host, cli }, repair.path, signal);
    }
  };
}

/** Only of a volume that is started: a person may have stopped it on purpose, and `force` would start it. */
async function startBricks(cli: GlusterCli, volume: string, signal: AbortSignal): Promise<void> {
  const info = await findVolume(cli, volume, signal);
  if (info?.state !== 'started') throw changed(`volume ${volume} is not started any more`);
  const ask = { about: `cannot start the bricks of ${volume}`, resource: `volume ${volume}`, signal };
  await cli.demand(volumeStartArgv(volume, true), { ...ask, timeoutMs: CHANGE_MS });
}

async function detachMount(host: Host, path: string, signal: AbortSignal): Promise<void> {
  const mountPath = plainPath(path, 'mount path');
  const entry = (await host.mounts.list()).findLast(({ target }) => target === mountPath);
  if (entry?.fsType !== 'fuse.glusterfs') return;
  const volume = entry.source.slice(entry.source.indexOf(':') + 1).replace(/^\//, '');
  const seen = await observeAttachment(host, { volume, mountPath }, signal);
  if (seen.state !== 'dead') throw changed(`the mount at ${path} is not dead any more`);
  await host.mounts.unmount(mountPath, { lazy: true, timeoutMs: SHORT_MS });
}

async function removeVolumeId({ host, cli }: RepairDeps, path: string, signal: AbortSignal): Promise<void> {
  const directory = plainPath(path, 'directory');
  const ask = { about: 'cannot list the volumes', resource: 'pool', signal };
  const volumes = parseVolumeInfo(await cli.demand(volumeInfoAllArgv(), ask));
  if (volumes.some(({ bricks }) => bricks.some((brick) => brick.path === directory))) {
    throw changed(`${path} is a brick by now`);
  }
  if ((await host.files.stat(directory))?.type !== 'directory' || (await host.files.list(directory)).length > 0) {
    throw changed(`${path} is no empty directory any more`);
  }
  // trusted.gfid marks the root of a brick too; a directory without it leaves with 1.
  for (const [name, okCodes] of [[VOLUME_ID, [0]] as const, ['trusted.gfid', [0, 1]] as const]) {
    const args = ['--no-dereference', `--remove=${name}`, '--', directory];
    await host.run({ file: 'setfattr', args, okCodes, timeoutMs: SHORT_MS, signal });
  }
}

function changed(message: string): AppError {
  return new AppError('precondition', message, { reason: 'Changed', hint: 'run holdfast doctor again' });
}
