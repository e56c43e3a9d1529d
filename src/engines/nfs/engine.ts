/** The nfs engine of one node: a volume is a share of a file server, or a folder of one; every node can mount it. */
import type { HashText } from '../../domain/ledger/record.ts';
import { MIN_VOLUME_BYTES } from '../../domain/volume/copy-size.ts';
import type { Desired, Engine, EngineCapabilities, Observed, Subject } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import type { ShareFolders } from '../../ports/share-folders.ts';
import { applyStep, refuse, type StepTable } from '../image/step-table.ts';
import { mountShare, observeNfsAttachment, unmountShare } from './attachment.ts';
import { createFolderActions } from './folder-actions.ts';
import { createShareWork } from './folder-work.ts';
import { type NfsDeps, type ObservedNfsVolume, observeNfsVolume } from './observe-volume.ts';
import { planNfsAttachment } from './plan-attachment.ts';
import { planNfsVolume } from './plan-volume.ts';
import { createPrivateMounts } from './private-mount.ts';
import { probeNfs } from './probe.ts';
import type { NfsStep } from './steps.ts';

const CAPABILITIES: EngineCapabilities = {
  layouts: ['single'],
  bricks: [],
  minSizeBytes: MIN_VOLUME_BYTES,
  isClustered: false,
  isOptional: true,
};

export interface NfsEngineDeps {
  readonly host: Host;
  readonly folders: ShareFolders;
  /** SHA-256: names for what has too long a one. */
  readonly hash: HashText;
}

/** Creates the engine of the node whose Host is given. One per node and process: it keeps mounts for itself. */
export function createNfsEngine({ host, folders, hash }: NfsEngineDeps): Engine {
  const deps: NfsDeps = { folders, hash, shares: createPrivateMounts(host, hash) };
  const actions = createActions(host, deps);
  return {
    name: 'nfs',
    capabilities: () => CAPABILITIES,
    probe: (signal) => probeNfs(host, signal),
    observe: <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      observe(host, deps, desired, signal),
    plan: planNfs,
    apply: (step, signal) => applyStep('nfs', actions, step, signal),
    shareWork: createShareWork(deps),
  };
}

async function observe(
  host: Host,
  deps: NfsDeps,
  desired: Desired<Subject>,
  signal: AbortSignal,
): Promise<Observed<Subject>> {
  switch (desired.subject) {
    case 'volume':
      await deps.shares.tidy();
      return observeNfsVolume(deps, desired, signal);
    case 'attachment':
      await deps.shares.tidy();
      return observeNfsAttachment(host, desired, signal);
    case 'copy':
      // The file server keeps the data: no node has a copy.
      return { subject: 'copy', state: 'absent', brickPath: '' };
    case 'peers':
      return { subject: 'peers', peers: [] };
    case 'identity':
      return { subject: 'identity', isRunning: true, isBlank: true, isUnderWay: false, peerIds: [], volumes: [] };
  }
}

/** From observed to desired. Pure; nothing but volumes and mounts is this engine's business. */
function planNfs<S extends Subject>(
  desired: Desired<S> & { readonly subject: S },
  observed: Observed<S>,
): readonly NfsStep[] {
  const wanted: Desired<Subject> = desired;
  const seen: Observed<Subject> = observed;
  // What was observed came from observeNfsVolume: an engine plans only what it has seen itself.
  if (wanted.subject === 'volume') return planNfsVolume(wanted, seen as ObservedNfsVolume);
  if (wanted.subject === 'attachment' && seen.subject === 'attachment') return planNfsAttachment(wanted, seen);
  return [];
}

function createActions(host: Host, deps: NfsDeps): StepTable<NfsStep> {
  return {
    ...createFolderActions(deps),
    mountShare: (step, signal) => mountShare(host, deps, step, signal),
    unmountShare: (step) => unmountShare(host, step),
    refuse,
  };
}
