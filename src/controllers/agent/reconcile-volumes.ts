/**
 * Makes, watches and removes the engine volumes that this node is the anchor of. Everything volume-wide happens here and
 * nowhere else; an agent that is no longer the anchor stops before its next step.
 */
import { isDeepStrictEqual } from 'node:util';
import { adoptedLimit } from '../../domain/adopt/adopted-growth.ts';
import { parseQuantity } from '../../domain/bytes.ts';
import { areVolumesStopped, isLeftBehind } from '../../domain/cluster/decide-tls.ts';
import { isAppError, messageOf } from '../../domain/errors.ts';
import { isUsable } from '../../domain/node/is-usable.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import { grantedSize } from '../../domain/volume/granted-sizes.ts';
import type { DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { Adopted, PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';
import { isOfRoomOnly } from '../runtime/room-changes.ts';
import { AGENT_BACKOFF, type AgentDeps } from './agent-deps.ts';
import { desiredBricks, engineLayout } from './desired-bricks.ts';
import { desiredShare } from './desired-share.ts';
import { healthyPeriod } from './healthy-period.ts';
import { mountsBehind } from './mounts-behind.ts';
import { nodesReadySince } from './nodes-ready-since.ts';
import { areFencesAsSeen, createFenceProver, type FenceProver, refusalOf } from './prove-fences.ts';
import { runSteps } from './run-steps.ts';
import { createVolumeReport, describeVolume, isOutdated, type VolumeReport, withReplaced } from './volume-report.ts';

type StoredVolume = Resource<'Volume'>;

const UNHEALTHY_PERIOD_MS = 1_000;

/** The loop for the Volumes anchored on this node. */
export function createVolumeEngineLoop(agent: AgentDeps): ReconcileLoop {
  const { informers, node: self } = agent;
  const deps: VolumeLoopDeps = { ...agent, prover: createFenceProver(agent) };

  const reconcile = async (name: string, signal: AbortSignal) => {
    const volume = informers.Volume.get(name);
    const placement = volume?.status?.placement;
    if (volume === undefined || placement === undefined || volume.status?.anchor !== self) return undefined;
    const isDeleting = volume.metadata.deletionTimestamp !== undefined;
    // While it is still mounted somewhere the controller has not said Deleting yet, and it is kept serving.
    const isRemoved = (isDeleting && volume.status.phase === 'Deleting') || isMakingWay(volume);
    if (isRemoved) return removeVolume(deps, volume, placement, signal);
    return serveVolume(deps, volume, placement, signal);
  };

  const anchored = () => anchoredVolumes(deps);
  return createReconcileLoop(deps, {
    name: 'agent-volumes',
    watches: [
      watchKeys(informers.Volume, (volume) => (volume.status?.anchor === self ? [volume.metadata.name] : [])),
      watchKeys(informers.VolumeCopy, (copy) => [copy.spec.volume]),
      // A node that comes or goes changes what the engine can reach.
      watchKeys(informers.StorageNode, anchored, isOfRoomOnly),
      watchKeys(informers.StorageCluster, anchored),
      watchKeys(informers.FenceRecord, anchored),
    ],
    reconcile,
    workers: 2,
    backoff: AGENT_BACKOFF,
  });
}

function anchoredVolumes({ informers, node: self }: AgentDeps): readonly string[] {
  return informers.Volume.list()
    .filter((volume) => volume.status?.anchor === self)
    .map((volume) => volume.metadata.name);
}

/** What is seen of a volume that is not made yet. */
const NOT_MADE = { refused: [] };

type VolumeLoopDeps = AgentDeps & { readonly prover: FenceProver };

async function serveVolume(
  deps: VolumeLoopDeps,
  volume: StoredVolume,
  placement: readonly PlacedCopy[],
  signal: AbortSignal,
) {
  const { isClustered } = deps.engines[volume.spec.engine].capabilities();
  const { isLeftOut, ...traffic } = isClustered ? seeTraffic(deps) : PRIVATE_TRAFFIC;
  const found = desiredVolume(deps, volume, placement, true);
  const report = createVolumeReport(deps, volume, signal);
  const refusal = isClustered ? refusalOf(deps) : undefined;
  const mayBeMade = () => traffic.isStopped !== true && (!isClustered || isReadyToCreate(deps, placement));
  if (found === undefined || isLeftOut || (!isMade(volume) && !mayBeMade())) {
    // It is known all the same that nobody uses it.
    if (refusal !== undefined && !isMade(volume))
      await report.write({ ...report.last(), ...deps.prover.carry(NOT_MADE) });
    return undefined;
  }
  const desired = { ...found, ...traffic, ...(refusal === undefined ? {} : { refusal }) };
  return bringAbout(deps, volume, { placement, desired, traffic, report, isClustered }, signal);
}

interface Wish {
  readonly placement: readonly PlacedCopy[];
  readonly desired: DesiredVolume;
  readonly traffic: Omit<Traffic, 'isLeftOut'>;
  readonly report: VolumeReport;
  readonly isClustered: boolean;
}

async function bringAbout(
  deps: VolumeLoopDeps,
  volume: StoredVolume,
  { placement, desired, traffic, report, isClustered }: Wish,
  signal: AbortSignal,
) {
  const { log } = deps;
  const engine = deps.engines[volume.spec.engine];
  // Taken before the look: what is seen afterwards is newer than this.
  const since = nodesReadySince(deps, withReplaced(deps, placement));
  const describe = (observed: ObservedVolume) => ({
    ...describeVolume(deps, { volume, placement, observed, since }),
    ...(isClustered ? deps.prover.carry(observed, report.last()) : {}),
  });
  try {
    const { observed, applied } = await runSteps(engine, desired, {
      log,
      signal,
      mayGoOn: async () =>
        (await isStillAnchor(deps, volume, signal)) &&
        (await isTrafficAsSeen(deps, traffic, signal)) &&
        (!isClustered || (await areFencesAsSeen(deps, desired, signal))),
      // What is seen is said before anything is done about it, and stays said when that fails. So does what went wrong
      // before, until this pass went well: else each try of what cannot be done would take it away and say it again.
      onFirstLook: (first) => report.write({ ...keptMessage(report.last()), ...describe(first) }),
    });
    await report.write(describe(observed));
    const isOpen = isClustered && (await proveFences(deps, volume, { report, observed }, signal));
    for (const step of applied) deps.events.normal(volume, 'EngineStep', step.about);
    const isSettled = isHealthy(observed, desired) && !isOpen;
    const isAtRest = isSettled || (desired.isStopped === true && !observed.isStarted);
    return { requeueAfterMs: isAtRest ? healthyPeriod(anchoredVolumes(deps).length) : UNHEALTHY_PERIOD_MS };
  } catch (error) {
    signal.throwIfAborted();
    if (!isOutdated(error)) await report.addMessage(messageOf(error));
    throw error;
  }
}

/** True while another look soon may prove more. */
async function proveFences(
  { prover }: VolumeLoopDeps,
  volume: StoredVolume,
  { report, observed }: { readonly report: VolumeReport; readonly observed: ObservedVolume },
  signal: AbortSignal,
): Promise<boolean> {
  const looked = await prover.look(volume, { before: report.last(), observed }, signal);
  await report.write({ ...report.last(), ...looked.report });
  return looked.isOpen;
}

function keptMessage({ message }: VolumeEngineStatus): Pick<VolumeEngineStatus, 'message'> {
  return message === undefined ? {} : { message };
}

async function removeVolume(
  deps: AgentDeps,
  volume: StoredVolume,
  placement: readonly PlacedCopy[],
  signal: AbortSignal,
) {
  const { log } = deps;
  const engine = deps.engines[volume.spec.engine];
  const report = createVolumeReport(deps, volume, signal);
  const { adopted } = volume.spec;
  if (adopted !== undefined && adopted.isRemovedFromEngine !== true) {
    // Only forgotten: the engine goes on serving it as before it was adopted.
    await report.write({ ...report.last(), state: 'Removed', bricks: [] });
    return undefined;
  }
  // Bricks play no part in removing a volume, so copies that never became ready do not hold it up.
  const desired = desiredVolume(deps, volume, placement, false);
  if (desired === undefined) return undefined;
  try {
    const mayGoOn = () => isStillAnchor(deps, volume, signal);
    const { observed } = await runSteps(engine, desired, { log, signal, mayGoOn });
    const { message: _, ...before } = report.last();
    const held = before.state === 'Removed' ? 'Created' : before.state;
    await report.write({ ...before, state: observed.isPresent ? held : 'Removed', bricks: [] });
    // Until the Volume itself is gone: what a dead agent had asked of the engine may still be carried out.
    return { requeueAfterMs: UNHEALTHY_PERIOD_MS };
  } catch (error) {
    signal.throwIfAborted();
    if (isOfSomebodyElse(error)) {
      // Ours was never made, so there is nothing to remove.
      await report.write({ ...report.last(), state: 'Removed', bricks: [] });
      return undefined;
    }
    if (!isOutdated(error)) await report.addMessage(messageOf(error));
    throw error;
  }
}

/** True when the engine has a volume of this name that Holdfast did not make. */
function isOfSomebodyElse(error: unknown): boolean {
  return isAppError(error) && error.reason === 'ForeignVolume';
}

/** Asked of the API, not of the cache: an agent that was cut off must not act on what it believed then. */
async function isStillAnchor({ client, node }: AgentDeps, volume: StoredVolume, signal: AbortSignal): Promise<boolean> {
  const now = await client.get('Volume', volume.metadata.name, { signal });
  return (
    now !== undefined &&
    now.metadata.uid === volume.metadata.uid &&
    now.status?.anchor === node &&
    now.status.epoch === volume.status?.epoch &&
    (now.metadata.deletionTimestamp === undefined) === (volume.metadata.deletionTimestamp === undefined) &&
    isDeepStrictEqual(now.spec.adopted, volume.spec.adopted) &&
    isMakingWay(now) === isMakingWay(volume) &&
    // A change of members that has been taken back must not be made any more.
    isDeepStrictEqual(now.status.placement, volume.status?.placement)
  );
}

/** Its copies are about to be exchanged for those of a snapshot: see decide-restore.ts. */
function isMakingWay({ status }: StoredVolume): boolean {
  return status?.restore?.phase === 'Removing';
}

/** The engine was seen to hold it once, whatever it holds now. */
function isMade({ status }: StoredVolume): boolean {
  return status?.engine?.engineId !== undefined;
}

/**
 * A volume is created only when every member node is joined: GlusterFS refuses bricks on hosts it does not know. This
 * node too: with a volume of its own no pool would take it in any more.
 */
function isReadyToCreate({ informers, node: self }: AgentDeps, placement: readonly PlacedCopy[]): boolean {
  const cluster = informers.StorageCluster.list().find((candidate) => candidate.spec.nodes.includes(self));
  const peers = cluster?.status?.peers;
  const joined = new Set(peers === undefined ? [] : [peers.observedBy, ...peers.connected]);
  return joined.has(self) && placement.every((placed) => joined.has(placed.node));
}

/** Undefined while a copy is not ready: its path is not known yet. */
function desiredVolume(
  { informers }: AgentDeps,
  volume: StoredVolume,
  placement: readonly PlacedCopy[],
  isPresent: boolean,
): DesiredVolume | undefined {
  const { name, uid } = volume.metadata;
  const { engineId } = volume.status?.engine ?? {};
  const own = informers.VolumeCopy.byIndex('volume', name).filter((copy) => copy.spec.volumeUid === uid);
  const bricks = desiredBricks(volume, placement, own, isPresent);
  if (bricks === undefined) return undefined;
  return {
    subject: 'volume',
    isPresent,
    name: engineNameOf(volume),
    ...engineLayout(volume, bricks),
    bricks,
    ...(areMountsBehind({ informers }, volume, own) ? { areMountsBehind: true } : {}),
    options: volumeOptions(volume, informers.StorageNode.list()),
    ...(volume.spec.profile === undefined ? {} : { profile: volume.spec.profile }),
    ...(volume.spec.encryption === true ? { isEncrypted: true } : {}),
    copyUids: own.map((copy) => copy.metadata.uid),
    ...(engineId === undefined ? {} : { engineId }),
    ...describeAdopted(volume.spec.adopted),
    ...desiredShare(volume),
    ...limitOf(volume),
  };
}

function areMountsBehind(
  { informers }: Pick<AgentDeps, 'informers'>,
  volume: StoredVolume,
  own: readonly Resource<'VolumeCopy'>[],
): boolean {
  const isAway = (name: string) => {
    const node = informers.StorageNode.get(name);
    return node === undefined || !isUsable(node, volume.spec.engine);
  };
  const lost = own.filter(({ spec }) => spec.replacement?.reason === 'NodeLost').map(({ spec }) => spec.node);
  const records = informers.VolumeAttachmentRecord.byIndex('volume', volume.metadata.name);
  return mountsBehind(volume, records, lost.filter(isAway)).length > 0;
}

/** An image is its own limit; a folder has none. */
function limitOf(volume: StoredVolume): Pick<DesiredVolume, 'limitBytes'> {
  const { adopted, brick } = volume.spec;
  if (brick !== 'directory') return {};
  const granted = parseQuantity(grantedSize(volume));
  const limitBytes = adopted === undefined ? granted : adoptedLimit(adopted.limit, granted);
  return limitBytes === undefined ? {} : { limitBytes };
}

/** It has its identity from the start: where the engine does not hold it, it is lost and not to be made. */
function describeAdopted(adopted: Adopted | undefined): Pick<DesiredVolume, 'engineId' | 'adopted'> {
  if (adopted === undefined) return {};
  const { engineId, bricks, takesOptions = false } = adopted;
  return { engineId, adopted: { engineId, bricks, takesOptions } };
}

type Traffic = Pick<DesiredVolume, 'isStopped' | 'encryptedFor'> & {
  /** This node's daemon speaks what the others do not: it can do nothing for a volume. */
  readonly isLeftOut: boolean;
};

/** Of a volume that never leaves its node. */
const PRIVATE_TRAFFIC: Traffic = { isLeftOut: false };

/** What the encryption of storage traffic asks of each volume. */
function seeTraffic({ informers, node: self }: AgentDeps): Traffic {
  const cluster = informers.StorageCluster.list().find((candidate) => candidate.spec.nodes.includes(self));
  const tls = cluster?.status?.tls;
  if (cluster === undefined || tls === undefined) return { isLeftOut: false };
  const encryptedFor = tls.isEncrypted ? cluster.spec.nodes : 'none';
  const isLeftOut = isLeftBehind(tls, informers.StorageNode.get(self));
  return { isLeftOut, ...(areVolumesStopped(tls) ? { isStopped: true } : { encryptedFor }) };
}

/** Asked of the API where the volume is to be stopped: when that was taken back, mounts return. */
async function isTrafficAsSeen(
  { client, node: self }: AgentDeps,
  { isStopped }: Pick<DesiredVolume, 'isStopped'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (isStopped !== true) return true;
  const clusters = await client.list('StorageCluster', { signal });
  return areVolumesStopped(clusters.items.find(({ spec }) => spec.nodes.includes(self))?.status?.tls);
}

/** Who may mount: the addresses asked for and always the nodes themselves; everybody when no list is given. */
function volumeOptions(volume: StoredVolume, nodes: readonly Resource<'StorageNode'>[]): Record<string, string> {
  const asked = volume.spec.allowFrom;
  if (asked === undefined || asked.length === 0) return {};
  const own = nodes.map((node) => node.spec.addresses.internalIp ?? node.spec.addresses.ip);
  return { 'auth.allow': [...new Set([...asked, ...own])].toSorted().join(',') };
}

function isHealthy(observed: ObservedVolume, { layout }: DesiredVolume): boolean {
  const hasSpares = layout !== 'single' && layout !== 'distributed';
  return (
    observed.isStarted &&
    observed.bricks.every((brick) => {
      // A copy without others has nothing to heal; with others, not knowing is not being healthy.
      const pending = brick.pendingHeals ?? (hasSpares ? undefined : 0);
      return brick.isOnline && brick.isReadable && pending === 0;
    })
  );
}
