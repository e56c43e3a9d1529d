/** Calls that are right, for volumes of each engine: what an attack is put into, one field at a time. */
import { labelFault } from '../../src/domain/names.ts';
import { VolumeCapability_AccessMode_Mode as Mode, type VolumeCapability } from '../../src/gen/csi/csi.ts';
import { ROOT } from './csi-attacks.ts';
import { blockOf, type CsiClient, mountable } from './csi-client.ts';
import type { Message } from './csi-fields.ts';
import type { CsiWorld } from './csi-world.ts';

export const SECRET = 'hunter2-the-secret';
const SECRETS = [['key', SECRET]] as const;
export const GIB = 1024n ** 3n;
const RANGE = { required_bytes: GIB };
const SNAPSHOT = 'snap';
const GROUP = 'group';

/** A kind of volume, with two of it that are there: one staged and in a pod, the other not published. */
export interface Kind {
  readonly engine: 'gluster' | 'local' | 'device' | 'nfs';
  /** Of the class, and what else a caller may send along with it. */
  readonly parameters: readonly (readonly [string, string])[];
  readonly volume: string;
  readonly idle: string;
  /** Where the idle one can go. */
  readonly node: string;
  readonly capability: VolumeCapability;
  readonly hasSnapshots: boolean;
}

const near = mountable(Mode.SINGLE_NODE_WRITER);
const classOf = (engine: string) => [['engine', engine]] as const;

export const KINDS_OF_VOLUMES: readonly Kind[] = [
  {
    ...{ engine: 'gluster', parameters: [['restuserkey', SECRET]], volume: 'vol', idle: 'idle', node: 'kube2' },
    ...{ capability: mountable(), hasSnapshots: true },
  },
  {
    ...{ engine: 'local', parameters: classOf('local'), volume: 'near', idle: 'near-idle', node: 'kube1' },
    ...{ capability: near, hasSnapshots: true },
  },
  {
    ...{ engine: 'device', parameters: classOf('local'), volume: 'raw', idle: 'raw-idle', node: 'kube1' },
    ...{ capability: blockOf(Mode.SINGLE_NODE_WRITER), hasSnapshots: true },
  },
  {
    ...{ engine: 'nfs', volume: 'far', idle: 'far-idle', node: 'kube2', capability: mountable(), hasSnapshots: false },
    parameters: [
      ['server', 'files.example.com'],
      ['share', '/export'],
    ],
  },
];

/** A call of a method that is right, and changes nothing that its undoing does not take back. */
export interface Base {
  readonly engine: Kind['engine'] | 'any';
  readonly method: string;
  readonly request: Message;
  /** Takes back what the call has made when it was not refused. */
  readonly undo?: ((csi: CsiClient, world: CsiWorld) => Promise<unknown>) | undefined;
}

const pathsOf = (volume: string) => ({
  staging: `${ROOT}/plugins/${volume}/globalmount`,
  target: `${ROOT}/pods/p1/volumes/${volume}/mount`,
});

/** Makes the volumes, puts one of each kind into a pod, and takes snapshots. */
export async function furnish(csi: CsiClient, world: CsiWorld): Promise<void> {
  for (const { metadata, status } of (await world.client.list('StorageNode')).items) {
    const engines = [...(status?.engines ?? []), { name: 'nfs', isInstalled: true, isRunning: true }];
    await world.client.patch('StorageNode', metadata.name, { status: { engines } }, { subresource: 'status' });
  }
  const capacityRange = { requiredBytes: GIB, limitBytes: 0n };
  for (const { parameters, volume, idle, capability: volumeCapability, hasSnapshots } of KINDS_OF_VOLUMES) {
    const wish = { parameters: Object.fromEntries(parameters), volumeCapabilities: [volumeCapability], capacityRange };
    for (const name of [volume, idle]) await csi.controller.createVolume({ ...wish, name });
    await csi.controller.controllerPublishVolume({ volumeId: volume, nodeId: 'kube1', volumeCapability });
    const { staging, target } = pathsOf(volume);
    const staged = { volumeId: volume, stagingTargetPath: staging, volumeCapability };
    await csi.node.nodeStageVolume(staged);
    await csi.node.nodePublishVolume({ ...staged, targetPath: target });
    if (hasSnapshots) await csi.controller.createSnapshot({ name: `${SNAPSHOT}-${volume}`, sourceVolumeId: volume });
  }
  await csi.groups.createVolumeGroupSnapshot({ name: GROUP, sourceVolumeIds: ['near'] });
  // As the agent of a node sees it that has the share mounted.
  const engine = { capacityBytes: 100, freeBytes: 60 };
  await world.client.patch('Volume', 'far', { status: { engine } }, { subresource: 'status' });
}

const anyBases: readonly Base[] = [
  ...['GetPluginInfo', 'GetPluginCapabilities', 'Probe', 'ControllerGetCapabilities', 'NodeGetCapabilities'],
  ...['NodeGetInfo', 'GroupControllerGetCapabilities', 'ListVolumes'],
].map((method) => ({ engine: 'any', method, request: {} }) as const);

const commonBases: readonly Base[] = [
  { method: 'ListSnapshots', request: { secrets: SECRETS } },
  { method: 'DeleteVolume', request: { volume_id: 'gone', secrets: SECRETS } },
  { method: 'DeleteSnapshot', request: { snapshot_id: 'gone', secrets: SECRETS } },
  { method: 'DeleteVolumeGroupSnapshot', request: { group_snapshot_id: 'gone', secrets: SECRETS } },
  { method: 'GetVolumeGroupSnapshot', request: { group_snapshot_id: GROUP, secrets: SECRETS } },
  {
    method: 'CreateVolumeGroupSnapshot',
    request: { name: 'new', source_volume_ids: ['near'], secrets: SECRETS },
    undo: deleteNew,
  },
].map((base) => ({ ...base, engine: 'any' }) as const);

/** A capability as it goes over the wire. */
function onWire({ accessType, accessMode }: VolumeCapability): Message {
  return { [accessType?.$case ?? '']: {}, access_mode: { mode: accessMode?.mode ?? 0 } };
}

/** Every call that is right, for each kind of volume that it makes a difference for. */
export const BASES: readonly Base[] = [...anyBases, ...commonBases, ...KINDS_OF_VOLUMES.flatMap(basesOf)];

function basesOf(kind: Kind): readonly Base[] {
  const { engine } = kind;
  const bases = [...controllerBases(kind), ...(kind.hasSnapshots ? snapshotBases(kind) : []), ...nodeBases(kind)];
  return bases.map((base) => ({ ...base, engine }));
}

type OfKind = Omit<Base, 'engine'>;

function controllerBases({ volume, idle, node, capability: own, parameters }: Kind): readonly OfKind[] {
  const capability = onWire(own);
  const one = { volume_id: volume, secrets: SECRETS };
  const place = { volume_id: idle, node_id: node, secrets: SECRETS };
  const wish = { volume_capabilities: [capability], parameters };
  return [
    {
      method: 'CreateVolume',
      request: { ...wish, name: 'new', capacity_range: RANGE, secrets: SECRETS },
      undo: deleteNew,
    },
    {
      method: 'ControllerPublishVolume',
      request: { ...place, volume_capability: capability },
      undo: (csi) => csi.controller.controllerUnpublishVolume({ volumeId: idle, nodeId: node }),
    },
    { method: 'ControllerUnpublishVolume', request: place },
    { method: 'ValidateVolumeCapabilities', request: { ...one, volume_capabilities: [capability] } },
    { method: 'GetCapacity', request: wish },
    {
      method: 'ControllerExpandVolume',
      request: { ...one, capacity_range: RANGE, volume_capability: capability },
    },
    { method: 'ControllerGetVolume', request: { volume_id: volume } },
    { method: 'ControllerModifyVolume', request: one },
  ];
}

function snapshotBases({ volume, parameters, capability }: Kind): readonly OfKind[] {
  const source = { snapshot: { snapshot_id: `${SNAPSHOT}-${volume}` } };
  const wish = { name: 'new', parameters, volume_capabilities: [onWire(capability)], capacity_range: RANGE };
  return [
    {
      method: 'CreateSnapshot',
      request: { name: 'new', source_volume_id: volume, secrets: SECRETS },
      undo: deleteNew,
    },
    { method: 'CreateVolume', request: { ...wish, volume_content_source: source }, undo: deleteNew },
  ];
}

function nodeBases({ volume, capability: own }: Kind): readonly OfKind[] {
  const capability = onWire(own);
  const { staging, target } = pathsOf(volume);
  const [otherStaging, otherTarget] = [`${staging}2`, `${target}2`];
  const id = { volume_id: volume };
  const use = { ...id, volume_capability: capability, secrets: SECRETS };
  return [
    {
      method: 'NodeStageVolume',
      request: { ...use, staging_target_path: otherStaging },
      undo: (csi) => csi.node.nodeUnstageVolume({ volumeId: volume, stagingTargetPath: otherStaging }),
    },
    { method: 'NodeUnstageVolume', request: { ...id, staging_target_path: otherStaging } },
    {
      method: 'NodePublishVolume',
      request: { ...use, staging_target_path: staging, target_path: otherTarget },
      undo: (csi) => csi.node.nodeUnpublishVolume({ volumeId: volume, targetPath: otherTarget }),
    },
    { method: 'NodeUnpublishVolume', request: { ...id, target_path: otherTarget } },
    { method: 'NodeGetVolumeStats', request: { ...id, volume_path: target } },
  ];
}

async function deleteNew(csi: CsiClient, { client }: CsiWorld): Promise<void> {
  const [volumes, snapshots] = await Promise.all([client.list('Volume'), client.list('VolumeSnapshotRecord')]);
  for (const { metadata } of (await client.list('VolumeGroupSnapshotRecord')).items) {
    expectLabel(metadata.name);
    if (metadata.name === GROUP) continue;
    await csi.groups.deleteVolumeGroupSnapshot({ groupSnapshotId: metadata.name });
  }
  for (const { metadata, spec } of snapshots.items) {
    expectLabel(metadata.name);
    if (!metadata.name.startsWith(`${SNAPSHOT}-`) && spec.group === undefined)
      await csi.controller.deleteSnapshot({ snapshotId: metadata.name });
  }
  const own = KINDS_OF_VOLUMES.flatMap(({ volume, idle }) => [volume, idle]);
  for (const { metadata } of volumes.items) {
    expectLabel(metadata.name);
    if (!own.includes(metadata.name)) await csi.controller.deleteVolume({ volumeId: metadata.name });
  }
}

function expectLabel(name: string): void {
  const fault = labelFault(name);
  if (fault !== undefined) throw new Error(`an object has the name ${JSON.stringify(name)}: ${fault}`);
}
