/** The GlusterFS engine of one node: everything it does goes through the node's Host. */

import { AppError } from '../../domain/errors.ts';
import { MIN_VOLUME_BYTES } from '../../domain/volume/copy-size.ts';
import { LAYOUTS } from '../../domain/volume/layout-faults.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Desired, Engine, Observed, Subject } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import type { Rework } from '../image/clone-image.ts';
import { createCopyActions } from '../image/copy-actions.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import type { CopyIdentity } from '../image/paths.ts';
import { applyStep, refuse, type StepTable } from '../image/step-table.ts';
import { createVolumeActions } from './apply-volume.ts';
import { mountVolume, observeAttachment, unmountVolume } from './attachment.ts';
import { rebuildBrick } from './blank-brick.ts';
import { createGlusterCli, type GlusterCli } from './cli.ts';
import { renameVolume } from './clone-marks.ts';
import { peerDetachArgv, peerProbeArgv } from './command.ts';
import { finishIdentity, learnAnew, observeIdentity, takeIdentity } from './identity.ts';
import { observeCopy } from './observe-copy.ts';
import { listBrickHosts, listPeers, observePeers } from './observe-peers.ts';
import { observeVolume, type VolumeDeps } from './observe-volume.ts';
import { planGluster } from './plan.ts';
import { probeGluster } from './probe.ts';
import { refusal } from './reply.ts';
import { serversThatKnow } from './servers-that-know.ts';
import type { GlusterStep } from './steps.ts';
import { endLostBrick, stopBrick } from './stop-brick.ts';
import { rewriteVolumeFiles } from './volume-files.ts';

export interface GlusterEngineDeps {
  readonly host: Host;
  readonly keys: VolumeKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
}

type Observers = { readonly [S in Subject]: (desired: Desired<S>, signal: AbortSignal) => Promise<Observed<S>> };
type StepOf<K extends GlusterStep['step']> = Extract<GlusterStep, { step: K }>;

/** What the gluster engine can do on any node. */
export const GLUSTER_CAPABILITIES = {
  layouts: LAYOUTS,
  bricks: ['image', 'directory'],
  isClustered: true,
  minSizeBytes: MIN_VOLUME_BYTES,
} as const;

/** Creates the engine of the node whose Host is given. One per node and process: it keeps commands on a volume apart. */
export function createGlusterEngine(deps: GlusterEngineDeps): Engine {
  const { host, log } = deps;
  const cli = createGlusterCli(deps);
  const volumes: VolumeDeps = { host, cli, locks: createKeyedMutex(), log };
  const observers = createObservers(deps, volumes);
  const actions = createActions(deps, volumes);
  return {
    name: 'gluster',
    capabilities: () => GLUSTER_CAPABILITIES,
    probe: (signal) => probeGluster({ host, cli }, signal),
    observe: (desired, signal) => observers[desired.subject](desired, signal),
    plan: planGluster,
    apply: (step, signal) => applyStep('gluster', actions, step, signal),
  };
}

function createObservers({ clock }: GlusterEngineDeps, volumes: VolumeDeps): Observers {
  const { host, cli } = volumes;
  return {
    peers: (desired, signal) => observePeers({ host, cli }, desired, signal),
    identity: (_desired, signal) => observeIdentity({ host, clock, signal }),
    copy: (desired, signal) => observeCopy({ host, cli }, desired, signal),
    volume: (desired, signal) => observeVolume(volumes, desired, signal),
    attachment: (desired, signal) => observeAttachment(host, desired, signal),
  };
}

function createActions({ host, clock, keys }: GlusterEngineDeps, volumes: VolumeDeps): StepTable<GlusterStep> {
  const { cli } = volumes;
  const copies = createCopyActions<CopyIdentity>({ host, keys });
  return {
    probePeer: (step, signal) => probePeer(cli, step, signal),
    detachPeer: (step, signal) => detachPeer(cli, step, signal),
    takeIdentity: (step, signal) => takeIdentity({ host, clock, signal }, step),
    learnAnew: (step, signal) => learnAnew({ host, clock, signal }, step),
    finishIdentity: () => finishIdentity({ host }),
    makeImage: ({ copy, imageBytes }, signal) => copies.makeImage(copy, imageBytes, signal),
    cloneImage: (step, signal) => {
      const { volume } = step;
      const rename: Rework = (brick, snapshot) => renameVolume(host, brick, { volume, snapshot });
      return copies.cloneImage(step, rename, signal);
    },
    mountImage: ({ copy }, signal) => copies.mountImage(copy, signal),
    makeBrick: ({ copy }, signal) => copies.makeBrick(copy, signal),
    growImage: ({ copy, imageBytes }, signal) => copies.growImage(copy, imageBytes, signal),
    stopBrick: ({ copy, volume }, signal) => stopBrick({ host, clock, cli }, volume, copy, signal),
    endLostBrick: ({ copy, volume }, signal) => endLostBrick({ host, clock, cli }, volume, copy, signal),
    rebuildBrick: (step, signal) => rebuildBrick(volumes, step, signal),
    rewriteVolumeFiles: ({ volume }, signal) => rewriteVolumeFiles(volumes, volume, signal),
    unmountImage: ({ copy }) => copies.unmountImage(copy),
    eraseCopy: ({ copy }, signal) => copies.eraseCopy(copy, signal),
    ...createVolumeActions(volumes),
    mountVolume: async (step, signal) =>
      mountVolume(host, { ...step, servers: await serversThatKnow(cli, step, signal) }, signal),
    unmountVolume: (step) => unmountVolume(host, step),
    refuse,
  };
}

/** No error for oneself or a known peer: gluster answers that with success. */
async function probePeer(cli: GlusterCli, { node }: StepOf<'probePeer'>, signal: AbortSignal): Promise<void> {
  await cli.demand(peerProbeArgv(node), {
    about: `cannot join ${node} to the pool`,
    resource: `node ${node}`,
    signal,
  });
}

/**
 * GlusterFS itself refuses a machine with bricks, but for one that has all bricks of a volume: with that one it would
 * forget the volume. So it is asked once more, right before. Repeated after an agent that died, it is no error.
 */
async function detachPeer(cli: GlusterCli, step: StepOf<'detachPeer'>, signal: AbortSignal) {
  const { node, isForced, about } = step;
  const ask = { about: `cannot ${about}`, resource: `node ${node}`, signal };
  const find = async () => (await listPeers(cli, signal)).find((peer) => peer.names.includes(node));
  const peer = await find();
  if (peer === undefined) return;
  const hosts = await listBrickHosts(cli, [peer], signal);
  if ([peer.uuid, ...peer.names].some((name) => hosts.includes(name))) {
    throw new AppError('precondition', `${ask.about}: a volume has a brick there`, {
      resource: ask.resource,
      reason: 'PeerInUse',
      hint: 'see which: gluster volume info',
    });
  }
  const reply = await cli.ask(peerDetachArgv(node, isForced), ask);
  if (!reply.isOk && (await find()) !== undefined) throw refusal(reply, ask.about, ask.resource);
}
