/**
 * The local engine of one node in memory: the real planners over a model of what their steps do to the disks and mounts of a
 * fake node. It passes test/contract/local-engine.contract.ts, as the real one does.
 */
import { AppError } from '../../domain/errors.ts';
import { usableBytes } from '../../domain/volume/copy-size.ts';
import type { Desired, DesiredAttachment, DesiredCopy, Engine, Observed, Step, Subject } from '../../ports/engine.ts';
import { type FakeCluster, type FakeCopy, type FakeNode, fakeAway } from '../gluster/cluster.fake.ts';
import { copyPaths } from '../image/paths.ts';
import type { ObservedLocalAttachment } from './attachment.ts';
import { LOCAL_CAPABILITIES } from './engine.ts';
import type { ObservedLocalCopy } from './observe-copy.ts';
import { planLocal } from './plan.ts';
import type { LocalStep, OwnedCopy } from './steps.ts';

export interface FakeLocalOptions {
  /** Around each step: call `act` to have it done; throw before or after that, and the node's agent has crashed there. */
  readonly around?: (step: Step, act: () => Promise<void>) => Promise<void>;
}

/** Creates the engine of one node. Another one for the same node is the same node after a restart of its agent. */
export function createFakeLocalEngine(cluster: FakeCluster, name: string, options: FakeLocalOptions = {}): Engine {
  const around = options.around ?? ((_step, act) => act());
  const alive = (signal: AbortSignal): FakeNode => {
    signal.throwIfAborted();
    const node = cluster.state.node(name);
    if (!node.isOn) throw fakeAway(name);
    return node;
  };
  return {
    name: 'local',
    capabilities: () => LOCAL_CAPABILITIES,
    probe: async (signal) => {
      const { isInstalled } = alive(signal);
      return { isInstalled, isRunning: isInstalled };
    },
    observe: async <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      // The subject decides which of the observations it is.
      observe(alive(signal), desired) as Observed<S>,
    plan: planLocal,
    apply: (step, signal) =>
      around(step, async () => {
        // Steps come from the planner above; the name decides which of the union it is.
        applyStep(alive(signal), step as LocalStep);
      }),
  };
}

function observe(node: FakeNode, desired: Desired<Subject>): Observed<Subject> {
  switch (desired.subject) {
    case 'copy':
      return observeCopy(node, desired);
    case 'volume': {
      const nothing = { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} } as const;
      const [brick] = desired.bricks;
      if (!desired.isPresent || brick === undefined) return nothing;
      const copy = findCopy(node, brick.path);
      const isOnline = copy?.hasBrick === true && (copy.brick === 'directory' || copy.isMounted);
      const engineId = desired.engineId ?? copy?.uid;
      if (engineId === undefined || (!isOnline && desired.engineId === undefined)) return nothing;
      const isReadable = copy?.isShutDown !== true;
      const bricks = [{ node: brick.node, path: brick.path, isOnline, isReadable }];
      return { subject: 'volume', isPresent: true, isStarted: true, engineId, bricks, options: {}, hasProfile: true };
    }
    case 'attachment':
      return observeAttachment(node, desired);
    case 'peers':
      return { subject: 'peers', peers: [] };
    case 'identity':
      return { subject: 'identity', isRunning: true, isBlank: true, isUnderWay: false, peerIds: [], volumes: [] };
  }
}

function findCopy(node: FakeNode, path: string | undefined): FakeCopy | undefined {
  return [...node.copies.values()].find((copy) => copy.brickPath === path);
}

function observeCopy(node: FakeNode, desired: DesiredCopy): ObservedLocalCopy {
  const brickPath = copyPaths(desired).brick;
  const copy = node.copies.get(desired.copyUid);
  if (copy === undefined) return { subject: 'copy', state: 'absent', brickPath };
  const { hasImage, isMounted, isShutDown, reservedBytes: bytes } = copy;
  const seen = { subject: 'copy', brickPath, hasImage, isMounted, imageBytes: bytes } as const;
  if (isMounted && isShutDown)
    return { ...seen, state: 'broken', isShutDown, message: 'the file system has shut down' };
  if (!copy.hasBrick || (copy.brick === 'image' && !isMounted)) return { ...seen, state: 'partial' };
  const usable = copy.brick === 'directory' ? desired.sizeBytes : usableBytes(bytes);
  return { ...seen, state: 'ready', sizeBytes: Math.min(desired.sizeBytes, usable) };
}

/** What of a mount is kept as its source: the copy that it shows. */
const LOCAL = 'local:';

function observeAttachment(node: FakeNode, desired: DesiredAttachment): ObservedLocalAttachment {
  const mount = node.mounts.get(desired.mountPath);
  if (mount === undefined) return { subject: 'attachment', state: 'absent' };
  const isCopy = mount.source.startsWith(LOCAL);
  const isOurs =
    mount.source === `${LOCAL}${desired.copyPath ?? ''}` || (desired.copyPath === undefined && !desired.isPresent);
  if (!isCopy || !isOurs) {
    return { subject: 'attachment', state: 'foreign', message: `${mount.source} is mounted at ${desired.mountPath}` };
  }
  const copy = findCopy(node, mount.source.slice(LOCAL.length));
  if (!mount.isServed || copy === undefined || copy.isShutDown) {
    return { subject: 'attachment', state: 'dead', message: 'the file system does not answer' };
  }
  return { subject: 'attachment', state: 'mounted', isAnswering: true, flags: mount.options };
}

function applyStep(node: FakeNode, step: LocalStep): void {
  switch (step.step) {
    case 'makeImage':
    case 'cloneImage': {
      const copy = begin(node, step.copy);
      copy.hasImage = true;
      copy.reservedBytes = Math.max(copy.reservedBytes, step.imageBytes);
      return;
    }
    case 'mountImage': {
      const copy = begin(node, step.copy);
      if (heldBy(node, copy) !== undefined) throw held(copy);
      copy.isMounted = true;
      copy.isShutDown = false;
      return;
    }
    case 'makeBrick':
      begin(node, step.copy).hasBrick = true;
      return;
    case 'growImage': {
      const copy = begin(node, step.copy);
      copy.reservedBytes = Math.max(copy.reservedBytes, step.imageBytes);
      return;
    }
    case 'unmountImage':
      begin(node, step.copy).isMounted = false;
      return;
    case 'eraseCopy': {
      const copy = begin(node, step.copy);
      if (heldBy(node, copy) !== undefined) throw held(copy);
      node.copies.delete(step.copy.copyUid);
      return;
    }
    case 'bindCopy': {
      const copy = findCopy(node, step.copyPath);
      const isServed = copy?.hasBrick === true && (copy.brick === 'directory' || copy.isMounted);
      if (!isServed) throw new AppError('unavailable', 'the copy is not mounted', { reason: 'CopyNotServed' });
      const source = `${LOCAL}${step.copyPath}`;
      node.mounts.set(step.mountPath, { source, options: step.flags, isServed: true, connected: new Set() });
      return;
    }
    case 'setFlags': {
      const mount = node.mounts.get(step.mountPath);
      if (mount !== undefined) node.mounts.set(step.mountPath, { ...mount, options: step.flags });
      return;
    }
    case 'unbindCopy':
      if (node.mounts.get(step.mountPath)?.source.startsWith(LOCAL) === true) node.mounts.delete(step.mountPath);
      return;
    case 'refuse':
      throw new AppError(step.kind, step.about, { resource: step.resource, reason: step.reason, hint: step.hint });
  }
}

function begin(node: FakeNode, copy: OwnedCopy): FakeCopy {
  const { copyUid: uid, poolPath, brick } = copy;
  const found = node.copies.get(uid);
  if (found !== undefined) return found;
  const nothing = { reservedBytes: 0, hasImage: false, isMounted: false, hasBrick: false, isShutDown: false };
  const made = { uid, poolPath, brick, brickPath: copyPaths(copy).brick, ...nothing };
  node.copies.set(uid, made);
  return made;
}

/** Where a copy is mounted beside its own place in the pool. */
function heldBy(node: FakeNode, copy: FakeCopy): string | undefined {
  if (copy.isMounted) return undefined;
  return [...node.mounts].find(([, mount]) => mount.source === `${LOCAL}${copy.brickPath}`)?.[0];
}

function held(copy: FakeCopy): AppError {
  return new AppError('unavailable', `${copy.brickPath} is still in use`, { reason: 'ImageHeld' });
}
