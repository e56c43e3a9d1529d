/**
 * The local engine of one node in memory: the real planners over a model of what their steps do to the disks and mounts of a
 * fake node. It passes test/contract/local-engine.contract.ts, as the real one does.
 */
import { AppError } from '../../domain/errors.ts';
import { ABILITIES } from '../../domain/volume/abilities.ts';
import { usableBytes } from '../../domain/volume/copy-size.ts';
import type {
  Desired,
  DesiredAttachment,
  DesiredCopy,
  DesiredVolume,
  Engine,
  Observed,
  Step,
  Subject,
} from '../../ports/engine.ts';
import { createFakeVolumeKeys } from '../../ports/volume-keys.fake.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';
import { applyWithKey, bytesOnDisk, type FakeCopy, fakeEncryption } from '../image/copy.fake.ts';
import { copyPaths } from '../image/paths.ts';
import type { ObservedLocalAttachment } from './attachment.ts';
import { LOCAL_CAPABILITIES } from './engine.ts';
import type { ObservedLocalCopy } from './observe-copy.ts';
import { planLocal } from './plan.ts';
import type { LocalStep, OwnedCopy } from './steps.ts';

interface ModelMount {
  readonly source: string;
  readonly options: readonly string[];
  isServed: boolean;
  connected: ReadonlySet<string>;
}

/** The node that a local engine works on; a node of the fake GlusterFS cluster is one, so that both share its disks. */
export interface ModelNode {
  readonly name: string;
  readonly isOn: boolean;
  readonly isInstalled: boolean;
  readonly copies: Map<string, FakeCopy>;
  readonly mounts: Map<string, ModelMount>;
}

export interface FakeLocalOptions {
  /** None when left out. */
  readonly keys?: VolumeKeys;
  /** Around each step: call `act` to have it done; throw before or after that, and the node's agent has crashed there. */
  readonly around?: (step: Step, act: () => Promise<void>) => Promise<void>;
}

/** Creates the engine of one node. Another one for the same node is the same node after a restart of its agent. */
export function createFakeLocalEngine(node: ModelNode, options: FakeLocalOptions = {}): Engine {
  const { around = (_step, act) => act(), keys = createFakeVolumeKeys() } = options;
  const alive = (signal: AbortSignal): ModelNode => {
    signal.throwIfAborted();
    if (!node.isOn) throw new AppError('unavailable', `${node.name} is off`, { reason: 'HostOff' });
    return node;
  };
  return {
    name: 'local',
    capabilities: () => LOCAL_CAPABILITIES,
    probe: async (signal) => {
      const { isInstalled } = alive(signal);
      return { isInstalled, isRunning: isInstalled, abilities: [...ABILITIES] };
    },
    observe: async <S extends Subject>(desired: Desired<S> & { readonly subject: S }, signal: AbortSignal) =>
      observe(alive(signal), desired),
    takenBytes: async (copies, signal) => {
      const { copies: onDisk } = alive(signal);
      const found = copies.flatMap(({ copyUid }) => onDisk.get(copyUid) ?? []);
      return new Map(found.filter(({ hasImage }) => hasImage).map((copy) => [copy.uid, bytesOnDisk(copy)]));
    },
    plan: planLocal,
    apply: (step, signal) =>
      around(step, async () => {
        // Steps come from the planner above; the name decides which of the union it is.
        const local = step as LocalStep;
        await applyWithKey(node.copies, { step: local, keys, signal }, () => applyStep(alive(signal), local));
      }),
  };
}

function observe(node: ModelNode, desired: Desired<Subject>): Observed<Subject> {
  switch (desired.subject) {
    case 'copy':
      return observeCopy(node, desired);
    case 'volume':
      return observeVolume(node, desired);
    case 'attachment':
      return observeAttachment(node, desired);
    case 'peers':
      return { subject: 'peers', peers: [] };
    case 'identity':
      return { subject: 'identity', isRunning: true, isBlank: true, isUnderWay: false, peerIds: [], volumes: [] };
  }
}

function observeVolume(node: ModelNode, desired: DesiredVolume): Observed<'volume'> {
  const nothing = { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} } as const;
  const [brick] = desired.bricks;
  if (!desired.isPresent || brick === undefined) return nothing;
  const copy = findCopy(node, brick.path);
  const isOnline = isServed(copy);
  const engineId = desired.engineId ?? (isOnline ? copy?.uid : undefined);
  if (engineId === undefined) return nothing;
  const bricks = [{ node: brick.node, path: brick.path, isOnline, isReadable: copy?.isShutDown !== true }];
  return { subject: 'volume', isPresent: true, isStarted: true, engineId, bricks, options: {}, hasProfile: true };
}

function isServed(copy: FakeCopy | undefined): boolean {
  if (copy?.brick === 'block') return copy.hasImage;
  return copy?.hasBrick === true && (copy.brick === 'directory' || copy.isMounted);
}

function findCopy(node: ModelNode, path: string | undefined): FakeCopy | undefined {
  return [...node.copies.values()].find((copy) => copy.brickPath === path);
}

function observeCopy(node: ModelNode, desired: DesiredCopy): ObservedLocalCopy {
  const brickPath = copyPaths(desired).brick;
  const copy = node.copies.get(desired.copyUid);
  if (copy === undefined) return { subject: 'copy', state: 'absent', brickPath };
  const { hasImage, isMounted, isShutDown, reservedBytes: bytes } = copy;
  const seen = { subject: 'copy', brickPath, hasImage, isMounted, imageBytes: bytes } as const;
  if (isMounted && isShutDown)
    return { ...seen, state: 'broken', isShutDown, message: 'the file system has shut down' };
  if (copy.brick === 'block') {
    const isAttached = isBound(node, copy);
    return {
      ...seen,
      isAttached,
      state: hasImage ? 'ready' : 'partial',
      sizeBytes: Math.min(desired.sizeBytes, bytes),
    };
  }
  if (!copy.hasBrick || (copy.brick === 'image' && !isMounted)) return { ...seen, state: 'partial' };
  const usable = copy.brick === 'directory' ? desired.sizeBytes : usableBytes(bytes, desired.fsType);
  return { ...seen, state: 'ready', sizeBytes: Math.min(desired.sizeBytes, usable), ...fakeEncryption(desired) };
}

/** What of a mount is kept as its source: the copy that it shows. */
const LOCAL = 'local:';

function observeAttachment(node: ModelNode, desired: DesiredAttachment): ObservedLocalAttachment {
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

type Effects = { readonly [K in LocalStep['step']]: (node: ModelNode, step: Extract<LocalStep, { step: K }>) => void };

const EFFECTS: Effects = {
  makeImage: (node, step) => reserve(begin(node, step.copy), step.imageBytes),
  cloneImage: (node, step) => reserve(begin(node, step.copy), step.imageBytes),
  growImage: (node, step) => reserve(begin(node, step.copy), step.imageBytes),
  mountImage: (node, step) => {
    const copy = begin(node, step.copy);
    proveFree(node, copy);
    copy.isMounted = true;
    copy.isShutDown = false;
  },
  makeBrick: (node, step) => {
    begin(node, step.copy).hasBrick = true;
  },
  unmountImage: (node, step) => {
    begin(node, step.copy).isMounted = false;
  },
  eraseCopy: (node, step) => {
    proveFree(node, begin(node, step.copy));
    node.copies.delete(step.copy.copyUid);
  },
  bindCopy: (node, step) => {
    if (!isServed(findCopy(node, step.copyPath))) {
      throw new AppError('unavailable', 'the copy is not mounted', { reason: 'CopyNotServed' });
    }
    const source = `${LOCAL}${step.copyPath}`;
    node.mounts.set(step.mountPath, { source, options: step.flags, isServed: true, connected: new Set() });
  },
  setFlags: (node, step) => {
    const mount = node.mounts.get(step.mountPath);
    if (mount !== undefined) node.mounts.set(step.mountPath, { ...mount, options: step.flags });
  },
  unbindCopy: (node, step) => {
    if (node.mounts.get(step.mountPath)?.source.startsWith(LOCAL) === true) node.mounts.delete(step.mountPath);
  },
  attachDevice: (node, { mountPath, copyPath }) => {
    const source = `${LOCAL}${copyPath}`;
    node.mounts.set(mountPath, { source, options: [], isServed: true, connected: new Set() });
  },
  // The model of a device is its bind, which is gone by then.
  detachDevice: () => undefined,
  refuse: (_node, step) => {
    throw new AppError(step.kind, step.about, { resource: step.resource, reason: step.reason, hint: step.hint });
  },
};

function applyStep<K extends LocalStep['step']>(node: ModelNode, step: Extract<LocalStep, { step: K }>): void {
  const effect: Effects[K] = EFFECTS[step.step];
  effect(node, step);
}

function reserve(copy: FakeCopy, bytes: number): void {
  copy.hasImage = true;
  copy.reservedBytes = Math.max(copy.reservedBytes, bytes);
}

function begin(node: ModelNode, copy: OwnedCopy): FakeCopy {
  const { copyUid: uid, poolPath, brick, thinProvision } = copy;
  const found = node.copies.get(uid);
  if (found !== undefined) return found;
  const nothing = { reservedBytes: 0, hasImage: false, isMounted: false, hasBrick: false, isShutDown: false };
  const thin = thinProvision === true ? { writtenBytes: 0 } : {};
  const made = { uid, poolPath, brick, brickPath: copyPaths(copy).brick, ...nothing, ...thin };
  node.copies.set(uid, made);
  return made;
}

function isBound(node: ModelNode, copy: FakeCopy): boolean {
  return [...node.mounts.values()].some((mount) => mount.source === `${LOCAL}${copy.brickPath}`);
}

/** @throws {AppError} unavailable, while the copy is mounted beside its own place in the pool */
function proveFree(node: ModelNode, copy: FakeCopy): void {
  if (copy.isMounted) return;
  if (isBound(node, copy))
    throw new AppError('unavailable', `${copy.brickPath} is still in use`, { reason: 'ImageHeld' });
}
