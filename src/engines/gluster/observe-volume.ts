/** What GlusterFS holds of one volume, and how its bricks are: `volume info`, `volume status` and heal info together. */
import { AppError, messageOf } from '../../domain/errors.ts';
import type { DesiredVolume, ObservedBrick, ObservedVolume } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { Logger } from '../../ports/logger.ts';
import type { KeyedMutex } from '../image/keyed-mutex.ts';
import { nameNodes } from './adopted-bricks.ts';
import type { GlusterCli } from './cli.ts';
import { quotaListArgv, volumeInfoArgv, volumeStatusArgv } from './command.ts';
import { countHeals } from './heal-info.ts';
import { listPeers } from './observe-peers.ts';
import { hasProfile, lackingOptions } from './options.ts';
import {
  type HealBrick,
  hasSpareBricks,
  type InfoBrick,
  parseQuotaList,
  parseVolumeInfo,
  parseVolumeStatus,
  type StatusBrick,
  type VolumeInfo,
} from './parse.ts';
import { refusedAddresses } from './refusal.ts';
import { refusal } from './reply.ts';

export interface VolumeDeps {
  readonly host: Host;
  readonly cli: GlusterCli;
  readonly locks: KeyedMutex;
  readonly log: Logger | undefined;
}

/** Heal info waits 10 s for bricks of a node that is off, then answers about the others. */
const HEAL_INFO_MS = 25_000;

/** The volume as `volume info` tells, undefined when there is none. @throws {AppError} when it cannot be asked */
export async function findVolume(
  cli: GlusterCli,
  volume: string,
  signal: AbortSignal,
): Promise<VolumeInfo | undefined> {
  const ask = { about: `cannot look at volume ${volume}`, resource: `volume ${volume}`, signal };
  const reply = await cli.ask(volumeInfoArgv(volume), ask);
  if (reply.isOk) return parseVolumeInfo(reply).find((candidate) => candidate.name === volume);
  const error = refusal(reply, ask.about, ask.resource);
  if (error.kind === 'notFound') return undefined;
  throw error;
}

/**
 * Observes a volume.
 *
 * @throws {AppError} unavailable, when glusterd cannot be asked, or when it says "no such volume" but does not know most
 *   of the volume's nodes: a machine that was installed anew knows of no volume, and nothing may be concluded from that
 */
export async function observeVolume(
  deps: VolumeDeps,
  desired: DesiredVolume,
  signal: AbortSignal,
): Promise<ObservedVolume> {
  const { cli, locks } = deps;
  const asked = await locks.run(desired.name, async () => {
    const info = await findVolume(cli, desired.name, signal);
    if (info === undefined) {
      await proveMembership(deps, desired, signal);
      return undefined;
    }
    const status = info.state === 'started' ? await askStatus(cli, desired.name, signal) : [];
    return { info, status, limitBytes: await askLimit(cli, info, signal) };
  });
  if (asked === undefined) {
    return { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} };
  }
  const { info, status, limitBytes } = asked;
  // Outside the lock: it asks the bricks, not glusterd, and can take its time.
  const heal = await askHeal(deps, info, signal);
  return {
    subject: 'volume',
    isPresent: true,
    isStarted: info.state === 'started',
    engineId: info.id,
    bricks: nameNodes(
      desired.adopted,
      info.bricks.map((brick) => judgeBrick(brick, status, heal)),
    ),
    options: info.options,
    hasProfile: hasProfile(desired, info.options),
    refused: refusedAddresses(info.options),
    ...(desired.adopted === undefined ? {} : { lacks: lackingOptions(desired, info.options) }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

/** Joins what the three commands say about one brick. */
export function judgeBrick(
  brick: InfoBrick,
  status: readonly StatusBrick[],
  heal: readonly HealBrick[] | undefined,
): ObservedBrick {
  const isSame = (other: { readonly node: string; readonly path: string }) =>
    other.node === brick.node && other.path === brick.path;
  // A node whose glusterd is away is missing in the status altogether.
  const row = status.find(isSame);
  const isOnline = row?.isOnline ?? false;
  const healed = heal?.find(isSame);
  return {
    node: brick.node,
    path: brick.path,
    isOnline,
    // Heal info has asked the brick itself; a process whose disk is dead is still "online". Where nobody could ask it, the
    // port tells: without one no client finds the process.
    isReadable: isOnline && (healed?.isConnected ?? row?.port !== undefined),
    isNodeReachable: row !== undefined,
    ...(healed?.pending === undefined ? {} : { pendingHeals: healed.pending }),
    ...(healed?.splitBrain === undefined ? {} : { splitBrainEntries: healed.splitBrain }),
  };
}

async function askStatus(cli: GlusterCli, volume: string, signal: AbortSignal): Promise<readonly StatusBrick[]> {
  const ask = { about: `cannot see the status of volume ${volume}`, resource: `volume ${volume}`, signal };
  return parseVolumeStatus(await cli.demand(volumeStatusArgv(volume), ask), volume);
}

async function askLimit(cli: GlusterCli, info: VolumeInfo, signal: AbortSignal): Promise<number | undefined> {
  if (info.options['features.quota'] !== 'on') return undefined;
  const ask = { about: `cannot see the limit of volume ${info.name}`, resource: `volume ${info.name}`, signal };
  const reply = await cli.ask(quotaListArgv(info.name), ask);
  // Right after `quota enable` there is no limit yet, and the answer is an error.
  return reply.isOk ? parseQuotaList(reply)['/'] : undefined;
}

/** Undefined when there is nothing to heal (one copy) or nobody could be asked: the observation goes on without. */
async function askHeal(
  { cli, log }: VolumeDeps,
  info: VolumeInfo,
  signal: AbortSignal,
): Promise<readonly HealBrick[] | undefined> {
  if (info.state !== 'started' || !hasSpareBricks(info)) return undefined;
  const ask = { about: `cannot see what is to heal in ${info.name}`, resource: `volume ${info.name}`, signal };
  try {
    return await countHeals(cli, info.name, { ...ask, timeoutMs: HEAL_INFO_MS });
  } catch (error) {
    signal.throwIfAborted();
    // It needs a quorum of bricks, and without one everything else still has to be reported.
    log?.debug('heal info cannot be had', { volume: info.name, err: messageOf(error) });
    return undefined;
  }
}

function hostsOf({ adopted }: DesiredVolume, node: string): readonly string[] {
  return (adopted?.bricks ?? []).flatMap((brick) => (brick.node === node ? (brick.host ?? []) : []));
}

async function proveMembership({ host, cli }: VolumeDeps, desired: DesiredVolume, signal: AbortSignal): Promise<void> {
  const nodes = new Set(desired.bricks.map((brick) => brick.node));
  if (nodes.size < 2) return;
  const peers = await listPeers(cli, signal);
  const namesOf = (node: string) => [node, ...hostsOf(desired, node)];
  const known = [...nodes].filter((node) =>
    peers.some((peer) => peer.isMember && namesOf(node).some((name) => peer.names.includes(name))),
  );
  // This node is one of them and not listed as its own peer.
  if ((known.length + 1) * 2 > nodes.size) return;
  throw new AppError(
    'unavailable',
    `glusterd on ${host.name} says that there is no volume ${desired.name}, but it knows only ${known.length + 1} of the ` +
      `volume's nodes (${[...nodes].join(', ')})`,
    {
      resource: `volume ${desired.name}`,
      reason: 'NotInPool',
      hint: 'see "gluster pool list" there; a machine that was installed anew has to rejoin the pool first',
    },
  );
}
