/** The local engine of one node: a volume is one copy, in an image or a folder of a pool, used on that node only. */
import { AppError } from '../../domain/errors.ts';
import { MIN_VOLUME_BYTES } from '../../domain/volume/copy-size.ts';
import type { Desired, Engine, EngineCapabilities, Observed, Step, Subject } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { createCopyActions } from '../image/copy-actions.ts';
import { createKeyedMutex } from '../image/keyed-mutex.ts';
import { bindCopy, observeLocalAttachment, setFlags, unbindCopy } from './attachment.ts';
import { createLocalCare } from './care.ts';
import { observeLocalCopy } from './observe-copy.ts';
import { observeLocalVolume } from './observe-volume.ts';
import { planLocal } from './plan.ts';
import { probeLocal } from './probe.ts';
import type { LocalRefusal, LocalStep } from './steps.ts';

type Actions = {
  readonly [K in LocalStep['step']]: (step: Extract<LocalStep, { step: K }>, signal: AbortSignal) => Promise<void>;
};

/** What the local engine can do on any node. */
export const LOCAL_CAPABILITIES: EngineCapabilities = {
  layouts: ['single'],
  bricks: ['image', 'directory'],
  minSizeBytes: MIN_VOLUME_BYTES,
  isClustered: false,
};

/** Creates the engine of the node whose Host is given. One per node and process: it keeps work in a pool apart. */
export function createLocalEngine({ host }: { readonly host: Host }): Engine {
  const actions = createActions(host);
  return {
    name: 'local',
    capabilities: () => LOCAL_CAPABILITIES,
    probe: (signal) => probeLocal(host, signal),
    observe: <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      observe(host, desired, signal),
    plan: planLocal,
    apply: (step, signal) => applyStep(actions, step, signal),
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

function createActions(host: Host): Actions {
  const copies = createCopyActions({ host }, createLocalCare(host));
  const pools = createKeyedMutex();
  /** Folders that copies share are made and removed by one step at a time. */
  const inPool = (copy: { readonly poolPath: string }, act: () => Promise<void>) => pools.run(copy.poolPath, act);
  return {
    makeImage: ({ copy, imageBytes }, signal) => inPool(copy, () => copies.makeImage(copy, imageBytes, signal)),
    cloneImage: (step, signal) => inPool(step.copy, () => copies.cloneImage(step, undefined, signal)),
    mountImage: ({ copy }, signal) => copies.mountImage(copy, signal),
    makeBrick: ({ copy }, signal) => inPool(copy, () => copies.makeBrick(copy, signal)),
    growImage: ({ copy, imageBytes }, signal) => inPool(copy, () => copies.growImage(copy, imageBytes, signal)),
    unmountImage: ({ copy }) => copies.unmountImage(copy),
    eraseCopy: ({ copy }, signal) => inPool(copy, () => copies.eraseCopy(copy, signal)),
    bindCopy: (step, signal) => bindCopy(host, step, signal),
    setFlags: (step, signal) => setFlags(host, step, signal),
    unbindCopy: (step) => unbindCopy(host, step),
    refuse,
  };
}

async function applyStep(actions: Actions, step: Step, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!isLocalStep(actions, step)) {
    throw new AppError('internal', `the local engine knows no step "${step.step}"`, {
      reason: 'UnknownStep',
      hint: 'apply a step with the engine that planned it',
    });
  }
  await run(actions, step, signal);
}

// Steps come from this engine's own planner; the name decides which of the union it is.
function isLocalStep(actions: Actions, step: Step): step is LocalStep {
  return Object.hasOwn(actions, step.step);
}

function run<K extends LocalStep['step']>(
  actions: Actions,
  step: Extract<LocalStep, { step: K }>,
  signal: AbortSignal,
): Promise<void> {
  const act: Actions[K] = actions[step.step];
  return act(step, signal);
}

async function refuse({ about, kind, resource, reason, hint }: LocalRefusal): Promise<void> {
  throw new AppError(kind, about, { resource, reason, hint });
}
