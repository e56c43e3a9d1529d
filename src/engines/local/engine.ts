/** The local engine of one node: a volume is one copy, in an image or a folder of a pool, used on that node only. */
import { MIN_VOLUME_BYTES } from '../../domain/volume/copy-size.ts';
import type { Desired, Engine, EngineCapabilities, Observed, Subject } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { createCopyActions } from '../image/copy-actions.ts';
import type { FolderEncryption } from '../image/encrypted-folder.ts';
import { applyStep, refuse, type StepTable } from '../image/step-table.ts';
import { takenBytes } from '../image/taken-bytes.ts';
import { bindCopy, observeLocalAttachment, setFlags, unbindCopy } from './attachment.ts';
import { createLocalCare } from './care.ts';
import { attachDevice, detachDevice } from './device.ts';
import { observeLocalCopy } from './observe-copy.ts';
import { observeLocalVolume } from './observe-volume.ts';
import { planLocal } from './plan.ts';
import { probeLocal } from './probe.ts';
import type { LocalStep } from './steps.ts';

/** What the local engine can do on any node. */
export const LOCAL_CAPABILITIES: EngineCapabilities = {
  layouts: ['single'],
  bricks: ['image', 'directory', 'block'],
  minSizeBytes: MIN_VOLUME_BYTES,
  isClustered: false,
};

/** Creates the engine of the node whose Host is given. One per node and process: it keeps work in a pool apart. */
export function createLocalEngine({ host, keys }: FolderEncryption): Engine {
  const actions = createActions({ host, keys });
  return {
    name: 'local',
    capabilities: () => LOCAL_CAPABILITIES,
    probe: (signal) => probeLocal(host, signal),
    observe: <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      observe(host, desired, signal),
    takenBytes: (copies, signal) => takenBytes(host, copies, signal),
    plan: planLocal,
    apply: (step, signal) => applyStep('local', actions, step, signal),
  };
}

async function observe(host: Host, desired: Desired<Subject>, signal: AbortSignal): Promise<Observed<Subject>> {
  switch (desired.subject) {
    case 'copy':
      return observeLocalCopy(host, desired, signal);
    case 'volume':
      return observeLocalVolume(host, desired);
    case 'attachment':
      return observeLocalAttachment(host, desired, signal);
    case 'peers':
      return { subject: 'peers', peers: [] };
    case 'identity':
      return { subject: 'identity', isRunning: true, isBlank: true, isUnderWay: false, peerIds: [], volumes: [] };
  }
}

function createActions({ host, keys }: FolderEncryption): StepTable<LocalStep> {
  const copies = createCopyActions({ host, keys }, createLocalCare(host));
  return {
    makeImage: ({ copy, imageBytes }, signal) => copies.makeImage(copy, imageBytes, signal),
    cloneImage: (step, signal) => copies.cloneImage(step, undefined, signal),
    mountImage: ({ copy }, signal) => copies.mountImage(copy, signal),
    makeBrick: ({ copy }, signal) => copies.makeBrick(copy, signal),
    growImage: ({ copy, imageBytes }, signal) => copies.growImage(copy, imageBytes, signal),
    unmountImage: ({ copy }) => copies.unmountImage(copy),
    eraseCopy: ({ copy }, signal) => copies.eraseCopy(copy, signal),
    bindCopy: (step, signal) => bindCopy(host, step, signal),
    setFlags: (step, signal) => setFlags(host, step, signal),
    unbindCopy: (step) => unbindCopy(host, step),
    attachDevice: (step, signal) => attachDevice({ host, keys }, step, signal),
    detachDevice: (step, signal) => detachDevice(host, step, signal),
    refuse,
  };
}
