/** Makes one call of a life, as kubelet and the sidecars make it. */
import {
  type ControllerClient,
  type GroupControllerClient,
  VolumeCapability_AccessMode_Mode as Mode,
  type NodeClient,
  type VolumeCapability,
} from '../../src/gen/csi/csi.ts';
import type { Call, VolumeId } from './calls.ts';
import type { LifeRules, State } from './model.ts';

/** What is really there. */
export interface Observed {
  /** GiB by name. */
  readonly volumes: Readonly<Record<string, number>>;
  readonly snapshots: readonly string[];
  readonly groups: readonly string[];
  /** As in {@link State}. */
  readonly attached: readonly string[];
  readonly staged: readonly string[];
  readonly bound: readonly string[];
  /** By volume; those that cannot be read now are left out. */
  readonly data: Readonly<Record<string, string>>;
}

/** A driver with everything behind it. */
export interface LifeWorld {
  /** What its engine does not do; nothing when left out. */
  readonly rules?: LifeRules;
  /** How a volume is used where that is not as on an engine that serves all nodes. */
  readonly modes?: Partial<Readonly<Record<VolumeId, Mode>>>;
  readonly root: string;
  readonly controller: ControllerClient;
  /** Where groups of snapshots are a part of its lives. */
  readonly groups?: GroupControllerClient;
  readonly nodes: Readonly<Record<string, NodeClient>>;
  /** How long a caller waits that gives up after so many turns; turns of the event loop when left out. */
  readonly patience?: (turns: number) => Promise<void>;
  /** As a pod would, at the path that it was given. */
  write(node: string, path: string, volume: VolumeId, token: string): Promise<void>;
  /** Resolves when nothing is being made or taken away any more. */
  settle(): Promise<void>;
  observe(): Promise<Observed>;
  restartController(): Promise<void>;
  /** Whatever is still there of volumes, snapshots, attachments, mounts and folders. */
  residue(): Promise<readonly string[]>;
}

const GIB = 1024n ** 3n;

const MODES: Readonly<Record<VolumeId, Mode>> = {
  'vol-alone': Mode.SINGLE_NODE_SINGLE_WRITER,
  'vol-node': Mode.SINGLE_NODE_WRITER,
  'vol-shared': Mode.MULTI_NODE_MULTI_WRITER,
};

/** Where a volume is staged on a node. */
export const stagingPath = (root: string, volume: string): string => `${root}/staging/${volume}`;
/** Where a pod has a volume. */
export const podPath = (root: string, volume: string, pod: string): string => `${root}/pods/${pod}/${volume}`;

export interface Making {
  readonly token: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly states: readonly State[];
}

/** A call that nobody would make now. */
export class Skipped extends Error {}

/** @returns what the model knows of the answer */
export async function send(world: LifeWorld, call: Call, making: Making, signal: AbortSignal): Promise<unknown> {
  if (call.do === 'write') return write(world, call, making);
  if (call.do === 'group' || call.do === 'ungroup' || call.do === 'look') return sendToGroups(world, call, { signal });
  if (call.do === 'stage' || call.do === 'unstage' || 'pod' in call) return sendToNode(world, call, signal);
  return sendToController(world, call, making.parameters, { signal });
}

async function write(
  world: LifeWorld,
  { volume, node, pod }: Extract<Call, { readonly pod: string }>,
  making: Making,
): Promise<void> {
  const isThere = making.states.every(({ bound }) => bound.includes(`${volume}@${node}/${pod}`));
  if (!isThere) throw new Skipped();
  await world.write(node, podPath(world.root, volume, pod), volume, making.token);
}

type ToController = Extract<
  Call,
  { do: 'create' | 'delete' | 'attach' | 'detach' | 'expand' | 'snap' | 'unsnap' | 'list' }
>;

/** @returns GiB of a volume, or the names in a list */
async function sendToController(
  world: LifeWorld,
  call: ToController,
  parameters: Making['parameters'],
  options: { readonly signal: AbortSignal },
): Promise<unknown> {
  const { controller } = world;
  if (call.do === 'list') {
    const { entries } = await controller.listVolumes({}, options);
    const ids = entries.map(({ volume }) => volume?.volumeId ?? '');
    return ids.toSorted((a, b) => (a < b ? -1 : 1)).join();
  }
  if (call.do === 'create') {
    const { volume: made } = await controller.createVolume(creation(world, call, parameters), options);
    return Number((made?.capacityBytes ?? 0n) / GIB);
  }
  if (call.do === 'expand') {
    const capacityRange = { requiredBytes: BigInt(call.gib) * GIB, limitBytes: 0n };
    const { capacityBytes } = await controller.controllerExpandVolume(
      { volumeId: call.volume, capacityRange },
      options,
    );
    return Number(capacityBytes / GIB);
  }
  if (call.do === 'snap')
    await controller.createSnapshot({ name: call.snapshot, sourceVolumeId: call.volume }, options);
  else if (call.do === 'unsnap') await controller.deleteSnapshot({ snapshotId: call.snapshot }, options);
  else if (call.do === 'delete') await controller.deleteVolume({ volumeId: call.volume }, options);
  else await sendUse(world, call, options);
  return undefined;
}

/** @returns the names of the snapshots of a group */
async function sendToGroups(
  { groups }: LifeWorld,
  call: Extract<Call, { readonly group: string }>,
  options: { readonly signal: AbortSignal },
): Promise<unknown> {
  if (groups === undefined) throw new Error('this world has no groups');
  const groupSnapshotId = call.group;
  if (call.do === 'ungroup') return void (await groups.deleteVolumeGroupSnapshot({ groupSnapshotId }, options));
  const { groupSnapshot } =
    call.do === 'group'
      ? await groups.createVolumeGroupSnapshot({ name: call.group, sourceVolumeIds: [...call.volumes] }, options)
      : await groups.getVolumeGroupSnapshot({ groupSnapshotId }, options);
  const ids = (groupSnapshot?.snapshots ?? []).map(({ snapshotId }) => snapshotId);
  return ids.toSorted((a, b) => (a < b ? -1 : 1)).join();
}

async function sendUse(
  world: LifeWorld,
  { do: what, volume: volumeId, node: nodeId }: Extract<Call, { do: 'attach' | 'detach' }>,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const { controller } = world;
  if (what === 'detach') return void (await controller.controllerUnpublishVolume({ volumeId, nodeId }, options));
  const wish = { volumeId, nodeId, volumeCapability: capability(world, volumeId) };
  await controller.controllerPublishVolume(wish, options);
}

async function sendToNode(
  world: LifeWorld,
  call: Extract<Call, { readonly node: string }>,
  signal: AbortSignal,
): Promise<void> {
  const { nodes, root } = world;
  const node = nodes[call.node];
  if (node === undefined) throw new Error(`${call.node} has no node service`);
  const volumeId = call.volume;
  const stagingTargetPath = stagingPath(root, volumeId);
  const volumeCapability = capability(world, call.volume);
  if (call.do === 'stage') await node.nodeStageVolume({ volumeId, stagingTargetPath, volumeCapability }, { signal });
  if (call.do === 'unstage') await node.nodeUnstageVolume({ volumeId, stagingTargetPath }, { signal });
  if (call.do !== 'bind' && call.do !== 'unbind') return;
  const targetPath = podPath(root, volumeId, call.pod);
  if (call.do === 'unbind') await node.nodeUnpublishVolume({ volumeId, targetPath }, { signal });
  else await node.nodePublishVolume({ volumeId, stagingTargetPath, targetPath, volumeCapability }, { signal });
}

function creation(
  world: LifeWorld,
  { volume, gib, from }: Extract<Call, { do: 'create' }>,
  parameters: Readonly<Record<string, string>>,
) {
  const type =
    from === undefined
      ? undefined
      : from.kind === 'snapshot'
        ? { $case: 'snapshot' as const, value: { snapshotId: from.id } }
        : { $case: 'volume' as const, value: { volumeId: from.id } };
  return {
    ...{ name: volume, volumeCapabilities: [capability(world, volume)], parameters: { ...parameters } },
    capacityRange: { requiredBytes: BigInt(gib) * GIB, limitBytes: 0n },
    ...(type === undefined ? {} : { volumeContentSource: { type } }),
  };
}

function capability({ modes = {} }: LifeWorld, volume: VolumeId): VolumeCapability {
  const mount = { fsType: '', mountFlags: [], volumeMountGroup: '' };
  return { accessType: { $case: 'mount', value: mount }, accessMode: { mode: modes[volume] ?? MODES[volume] } };
}
