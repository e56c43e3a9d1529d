/** One node's agent: registers, beats, and runs the loops for what is placed on its node. */
import { messageOf } from '../../domain/errors.ts';
import type { Millis } from '../../ports/clock.ts';
import type { EngineEncryption } from '../../ports/encryption.ts';
import type { EngineTable } from '../../ports/engine.ts';
import type { EngineFencing } from '../../ports/fencing.ts';
import type { Host } from '../../ports/host.ts';
import type { NfsServer } from '../../ports/nfs-server.ts';
import type { EngineDoctor, NodeSenses } from '../../ports/node-doctor.ts';
import type { SnapshotTable } from '../../ports/snapshot-engine.ts';
import type { VolumeWork } from '../../ports/volume-work.ts';
import { type ControllerDeps, createInformers, runLoops, WATCHED_KINDS } from '../deps.ts';
import { createEventRecorder } from '../runtime/event-recorder.ts';
import { createStatusWriter } from '../runtime/status-writer.ts';
import { createTurns } from '../runtime/turns.ts';
import type { AgentDeps } from './agent-deps.ts';
import { runHeartbeat } from './heartbeat.ts';
import { type NodeIdentity, readBootId, registerNode } from './identity.ts';
import { createPulse } from './pulse.ts';
import { createAttachmentLoop } from './reconcile-attachments.ts';
import { createCopyLoop } from './reconcile-copies.ts';
import { createEncryptionLoop } from './reconcile-encryption.ts';
import { createExportLoop } from './reconcile-exports.ts';
import { createIdentityLoop } from './reconcile-identity.ts';
import { createNodeLoop } from './reconcile-node.ts';
import { createOwnFenceLoop } from './reconcile-own-fence.ts';
import { createPeerLoop } from './reconcile-peers.ts';
import { createSnapshotGroupPart } from './reconcile-snapshot-groups.ts';
import { createSnapshotPartLoop } from './reconcile-snapshots.ts';
import { createTaskPartLoop } from './reconcile-tasks.ts';
import { createVolumeEngineLoop } from './reconcile-volumes.ts';
import { createTidyLoop } from './tidy-tasks.ts';

export interface AgentOptions extends Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log' | 'metrics'> {
  /** Silence of the API server that is taken for a dead connection; longer than its time between bookmarks. */
  readonly watchIdleMs: Millis;
  readonly identity: NodeIdentity;
  readonly host: Host;
  readonly engines: EngineTable;
  readonly work: VolumeWork;
  readonly fencing: EngineFencing;
  readonly snapshots: SnapshotTable;
  readonly encryption: EngineEncryption;
  /** Serves volumes to machines that are no nodes. */
  readonly nfs: NfsServer;
  readonly doctor: EngineDoctor;
  readonly senses: NodeSenses;
}

const REGISTER_RETRY_MS = 500;
/** Whether other nodes are alive is told to an agent by the conditions of StorageNodes. */
const WATCHED = WATCHED_KINDS.filter((kind) => kind !== 'Lease');

/** Runs the agent of one node until the signal aborts; the API may be away at the start and at any time after. */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { identity, host, log } = options;
  const bootId = await readBootId(host);
  const toldOfBoot = await registerUntilDone(options, signal);
  if (signal.aborted) return;
  let isTold = toldOfBoot === undefined || toldOfBoot === bootId;

  const informers = createInformers(options, options.watchIdleMs);
  const events = createEventRecorder(options, { component: 'holdfast-node', host: identity.name });
  const deps: AgentDeps = {
    ...options,
    informers,
    events,
    statusWriter: createStatusWriter(options),
    node: identity.name,
    agentVersion: identity.agentVersion,
    bootId,
    readyPools: new Map(),
    restarts: createTurns(),
    pulse: createPulse(options.clock),
    onReported: () => {
      isTold = true;
    },
    onRoomChanged: () => node.enqueue(identity.name),
  };
  const copies = createCopyLoop(deps);
  const node = createNodeLoop(deps, () => {
    for (const copy of informers.VolumeCopy.list()) {
      if (copy.spec.node === identity.name) copies.enqueue(copy.metadata.name);
    }
  });
  const groups = createSnapshotGroupPart(deps);
  const loops = [
    node,
    copies,
    createPeerLoop(deps),
    createIdentityLoop(deps, () => node.onEngineChanged()),
    createEncryptionLoop(deps, () => node.onEngineChanged()),
    createVolumeEngineLoop(deps),
    createAttachmentLoop(deps),
    createExportLoop(deps),
    createOwnFenceLoop(deps),
    createTaskPartLoop(deps),
    createTidyLoop(deps),
    groups.loop,
    createSnapshotPartLoop(deps, groups.isTaking),
  ];
  log.info('agent runs', { node: identity.name, bootId });
  // With a sign of life, what the node said last is believed: also of the machine that it was before it was installed anew.
  const complaint = () => (isTold ? deps.pulse.complaint() : 'what the node said last is of an earlier boot');
  await Promise.all([
    runHeartbeat({ ...options, node: identity.name, complaint }, signal),
    runLoops(
      deps,
      {
        kinds: WATCHED,
        loops,
      },
      signal,
    ),
    events.run(signal),
  ]);
}

async function registerUntilDone(
  { client, clock, log, identity }: AgentOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  let lastMessage = '';
  while (!signal.aborted) {
    try {
      return await registerNode(client, identity, signal);
    } catch (error) {
      const message = messageOf(error);
      if (message !== lastMessage) log.warn('not registered yet', { err: error });
      lastMessage = message;
    }
    await clock.sleep(REGISTER_RETRY_MS, signal).catch(() => undefined); // aborted: the loop ends
  }
  return undefined;
}
