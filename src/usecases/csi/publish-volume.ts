/** CSI ControllerPublishVolume and ControllerUnpublishVolume: the record that a volume is in use on a node. */
import {
  type AskedAccess,
  assertAccess,
  isForOneNode,
  isReadingOnly,
  kindOf,
  parseAccess,
} from '../../domain/csi/access.ts';
import { attachmentName, CSI_MOUNTS, isCsiAttachment } from '../../domain/csi/attachments.ts';
import { parseCsiId, parseCsiNodeId } from '../../domain/csi/names.ts';
import { homeOf } from '../../domain/csi/topology.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import { assertOneWriter } from '../../domain/nfs-export/beside-one-node.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { waitForObject } from '../waiting/wait-for-object.ts';
import { CALL_MS, type CsiDeps } from './csi-deps.ts';

export interface PublishRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly access: AskedAccess | undefined;
  readonly isReadOnly: boolean;
}

type AttachmentRecord = Resource<'VolumeAttachmentRecord'>;

/**
 * Records that a volume is to be used on a node, whose agent mounts it. Repeated, it changes nothing.
 *
 * @throws {AppError} notFound, for volume and node; exists, when it is published there otherwise; precondition, when the
 *   node is fenced, or others may write to it and only one node is to; conflict, while it is being taken away there
 */
export async function publishVolume(deps: CsiDeps, request: PublishRequest, signal: AbortSignal): Promise<void> {
  const { client } = deps;
  const [volume, node] = [parseCsiId('volume_id', request.volumeId), parseCsiNodeId(request.nodeId)];
  const { mode } = parseAccess(request.access);
  const isReadOnly = request.isReadOnly || isReadingOnly(mode);
  const [stored, storedNode, fence, records] = await Promise.all([
    client.get('Volume', volume, { signal }),
    client.get('StorageNode', node, { signal }),
    client.get('FenceRecord', node, { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  if (stored === undefined) throw new AppError('notFound', `there is no volume ${volume}`);
  if (storedNode === undefined) throw new AppError('notFound', `there is no node ${node}`);
  if (storedNode.metadata.deletionTimestamp !== undefined) {
    throw new AppError('precondition', `node ${node} is being given up`, {
      hint: 'publish the volume to another node',
    });
  }
  if (fence !== undefined) throw fenced(fence);
  if (stored.metadata.deletionTimestamp !== undefined) {
    throw new AppError('precondition', `volume ${volume} is being deleted`);
  }
  assertAccess(request.access, kindOf(stored.spec));
  assertAtHome(stored, node);
  const own = records.items.filter((record) => record.spec.volume === volume && isCsiAttachment(record));
  assertFree(own, { volume, node, isAlone: isForOneNode(mode) });
  const here = own.find((record) => record.spec.node === node);
  if (here !== undefined) return assertSame(here, mode, isReadOnly);
  assertOneWriter(records.items, { volume, node, mode });
  const metadata = {
    name: attachmentName(volume, node, mode),
    finalizers: [ATTACHMENT_FINALIZER],
    labels: { 'holdfast.dev/volume': volume },
  };
  const spec = { volume, node, mountPath: `${CSI_MOUNTS}/${volume}`, isReadOnly, accessMode: mode };
  const made = await create(client, { metadata, spec }, signal);
  try {
    // Somebody may have exported or mounted it since: whoever does from now on sees the record.
    assertOneWriter((await client.list('VolumeAttachmentRecord', { signal })).items, { volume, node, mode });
  } catch (error) {
    if (isAppError(error, 'precondition'))
      await client.delete('VolumeAttachmentRecord', made.metadata.name, { uid: made.metadata.uid });
    throw error;
  }
}

async function create(
  client: ResourceClient,
  object: Parameters<typeof client.create<'VolumeAttachmentRecord'>>[1],
  signal: AbortSignal,
): Promise<AttachmentRecord> {
  try {
    return await client.create('VolumeAttachmentRecord', object, { signal });
  } catch (error) {
    // The name of a record for one node alone is the volume's: whoever makes it first has the volume.
    if (!isAppError(error, 'exists')) throw error;
    const { volume } = object['spec'] as AttachmentRecord['spec'];
    throw new AppError('conflict', `volume ${volume} is being published by another call`, { hint: 'ask again' });
  }
}

/** Whether it is held or not: whoever asked for it wants nothing written there. */
function fenced({ metadata, spec }: Resource<'FenceRecord'>): AppError {
  const why = spec.reason === undefined ? '' : `: ${spec.reason}`;
  const message = `node ${spec.node} is fenced since ${metadata.creationTimestamp}${why}`;
  return new AppError('precondition', message, {
    resource: `node ${spec.node}`,
    reason: 'NodeFenced',
    hint: `publish the volume to another node, or take it back with "holdfast node unfence ${spec.node}"`,
  });
}

function assertAtHome(volume: Resource<'Volume'>, node: string): void {
  const home = homeOf(volume);
  if (home === undefined || home === node) return;
  const { name } = volume.metadata;
  throw new AppError('precondition', `volume ${name} is local to node ${home}, and cannot be used on ${node}`, {
    resource: `volume ${name}`,
    reason: 'KeptElsewhere',
    hint: 'its accessible topology says so; a volume of engine gluster can be used on every node',
  });
}

function assertFree(
  records: readonly AttachmentRecord[],
  { volume, node, isAlone }: { readonly volume: string; readonly node: string; readonly isAlone: boolean },
): void {
  const leaving = records.find(
    (record) => record.metadata.deletionTimestamp !== undefined && record.spec.node === node,
  );
  if (leaving !== undefined) {
    throw new AppError('conflict', `volume ${volume} is being unmounted on ${node}`, { hint: 'ask again' });
  }
  const others = records.filter((record) => record.spec.node !== node);
  const holder = others.find((record) => isAlone || isForOneNode(record.spec.accessMode ?? 'MultiNodeMultiWriter'));
  if (holder === undefined) return;
  throw new AppError(
    'precondition',
    `volume ${volume} is published to node ${holder.spec.node}, and only one may have it`,
    {
      resource: `volume ${volume}`,
      reason: 'PublishedElsewhere',
      hint: 'it has to be unpublished there first',
    },
  );
}

function assertSame({ spec }: AttachmentRecord, mode: string, isReadOnly: boolean): void {
  if (spec.accessMode === mode && spec.isReadOnly === isReadOnly) return;
  const how = `${spec.accessMode ?? 'no mode'}${spec.isReadOnly ? ', read-only' : ''}`;
  throw new AppError('exists', `volume ${spec.volume} is published to node ${spec.node} otherwise: ${how}`, {
    hint: 'unpublish it there first',
  });
}

/**
 * Takes the record away and waits until the node has unmounted the volume. Success when there is none.
 *
 * @param nodeId - empty for all nodes
 * @throws {AppError} timeout and cancelled, while the node does not answer: what it has mounted it may still write
 */
export async function unpublishVolume(
  deps: CsiDeps,
  { volumeId, nodeId }: { readonly volumeId: string; readonly nodeId: string },
  signal: AbortSignal,
): Promise<void> {
  const volume = parseCsiId('volume_id', volumeId);
  const node = nodeId === '' ? undefined : parseCsiNodeId(nodeId);
  const { items } = await deps.client.list('VolumeAttachmentRecord', { signal });
  const own = items.filter(
    (record) =>
      record.spec.volume === volume && isCsiAttachment(record) && (node === undefined || record.spec.node === node),
  );
  await Promise.all(own.map((record) => remove(deps, record, signal)));
}

async function remove(deps: CsiDeps, { metadata, spec }: AttachmentRecord, signal: AbortSignal): Promise<void> {
  const { name, uid } = metadata;
  await deps.client.delete('VolumeAttachmentRecord', name, { uid, signal });
  await waitForObject(deps, {
    kind: 'VolumeAttachmentRecord',
    name,
    timeoutMs: CALL_MS,
    signal,
    check: (seen) => (seen?.metadata.uid === uid ? undefined : true),
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `volume ${spec.volume} is not unmounted on ${spec.node} yet: ${seen?.status?.message ?? 'its agent says nothing'}`,
        { reason: 'NotUnmountedInTime', hint: `see: holdfast node show ${spec.node}` },
      ),
  });
}
