/**
 * CSI node calls. The agent mounts a published volume once per node and looks after the mount; these wait for it and bind it to
 * where it is asked for. So the process behind a mount is nobody's child, and one that has died is mounted anew.
 */
import {
  type AccessMode,
  type AskedAccess,
  assertAccess,
  isCovered,
  isReadingOnly,
  kindOf,
  parseAccess,
  podMountOptions,
} from '../../domain/csi/access.ts';
import { isCsiAttachment } from '../../domain/csi/attachments.ts';
import { writability } from '../../domain/csi/mount-state.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { parseTargetPath } from '../../domain/csi/target-path.ts';
import { AppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { waitForObject } from '../waiting/wait-for-object.ts';
import { type BindKind, bind, findTarget, makeTarget, mountAt, seeBind, setOptions, unbind } from './bind-mounts.ts';
import { CALL_MS } from './csi-deps.ts';
import type { CsiNodeDeps } from './node-deps.ts';

export interface StageRequest {
  readonly volumeId: string;
  readonly stagingPath: string;
  readonly access: AskedAccess | undefined;
}

export interface NodePublishRequest extends StageRequest {
  readonly targetPath: string;
  readonly isReadOnly: boolean;
}

/** Of every bind in a pod, whatever was asked for. */
const ALWAYS_SET: ReadonlySet<string> = new Set(['nosuid', 'nodev']);

type AttachmentRecord = Resource<'VolumeAttachmentRecord'>;

/**
 * CSI NodeStageVolume: waits until the volume is mounted here, and binds it below the staging path.
 *
 * @throws {AppError} notFound; precondition, when it is not published to this node, or something else is at the path; exists,
 *   when it is published for another use; unavailable
 */
export async function stageVolume(deps: CsiNodeDeps, request: StageRequest, signal: AbortSignal): Promise<void> {
  const volume = parseCsiId('volume_id', request.volumeId);
  // Judged before anything is looked up or made.
  const { path: staging } = parseTargetPath('staging_target_path', request.stagingPath, deps.targetRoot);
  const { mode } = parseAccess(request.access);
  const { record, kind } = await findRecord(deps, { volume, access: request.access }, signal);
  assertCovered(record, mode);
  const path = await makeTarget(deps, { field: 'staging_target_path', written: stagedAt(staging, kind), kind });
  await waitUntilMounted(deps, record, signal);
  const source = record.spec.mountPath;
  await bindAnew(deps, { volume, path, source, options: stagingOptions(record, kind) }, signal);
}

/** @throws {AppError} exists, for a use that goes beyond what the volume is published to this node for */
function assertCovered({ spec: { volume, accessMode } }: AttachmentRecord, mode: AccessMode): void {
  if (accessMode !== undefined && isCovered(mode, accessMode)) return;
  throw new AppError('exists', `volume ${volume} is published to this node as ${accessMode}, not ${mode}`, {
    resource: `volume ${volume}`,
    reason: 'PublishedOtherwise',
    hint: 'unpublish it from the node, and publish it as it is to be used',
  });
}

/** That nobody writes to a device, the device itself sees to. */
function stagingOptions({ spec }: AttachmentRecord, kind: BindKind): readonly string[] {
  return [spec.isReadOnly && kind === 'folder' ? 'ro' : 'rw'];
}

/**
 * CSI NodePublishVolume: binds a staged volume to a path of a pod.
 *
 * @throws {AppError} precondition, when it is not staged, or one pod alone may have it and another has; exists, when it is
 *   published there otherwise, or to this node for another use
 */
export async function publishToPod(deps: CsiNodeDeps, request: NodePublishRequest, signal: AbortSignal): Promise<void> {
  const volume = parseCsiId('volume_id', request.volumeId);
  parseTargetPath('target_path', request.targetPath, deps.targetRoot);
  const { path: stagingPath } = parseTargetPath('staging_target_path', request.stagingPath, deps.targetRoot);
  const { mode, flags } = parseAccess(request.access);
  const { record, kind } = await findRecord(deps, { volume, access: request.access }, signal);
  assertCovered(record, mode);
  const isReadOnly = request.isReadOnly || record.spec.isReadOnly || isReadingOnly(mode);
  if (kind === 'device' && isReadOnly !== record.spec.isReadOnly) throw readOnlyDevice(volume);
  const staging = await makeTarget(deps, { field: 'staging_target_path', written: stagedAt(stagingPath, kind), kind });
  const source = record.spec.mountPath;
  const staged = await seeBind(deps, { path: staging, source }, signal);
  if (staged.state === 'dead')
    await bindAnew(deps, { volume, path: staging, source, options: stagingOptions(record, kind) }, signal);
  else if (staged.state !== 'bound') {
    throw new AppError('precondition', `volume ${volume} is not staged at ${staging}`, { hint: 'stage it first' });
  }
  const path = await makeTarget(deps, { field: 'target_path', written: request.targetPath, kind });
  if (mode === 'SingleNodeSingleWriter') await assertAlone(deps, { volume, staged: staging, source, path });
  // A device that is bound without devices is none; that nobody writes to it, the device itself sees to.
  const options = kind === 'device' ? ['rw'] : podMountOptions(flags, isReadOnly);
  await bindAnew(deps, { volume, path, source, options }, signal);
}

/**
 * A volume is bound below the folder that a caller names for it: a folder to a folder, a device to a file. Kubelet lets go of
 * a staging path only when nothing else is mounted that is mounted there (GetDeviceMountRefs), and the agent's own mount is.
 */
function stagedAt(stagingPath: string, kind: BindKind): string {
  return `${stagingPath}/${kind === 'device' ? 'device' : 'volume'}`;
}

function readOnlyDevice(volume: string): AppError {
  return new AppError('invalid', `volume ${volume} is a device, which is read-only for the whole node or for nobody`, {
    hint: 'publish it to the node read-only',
  });
}

/** CSI NodeUnstageVolume. No error when nothing is there. */
export async function unstageVolume(
  deps: CsiNodeDeps,
  { volumeId, stagingPath }: Pick<StageRequest, 'volumeId' | 'stagingPath'>,
): Promise<void> {
  parseCsiId('volume_id', volumeId);
  const { path: staging } = parseTargetPath('staging_target_path', stagingPath, deps.targetRoot);
  for (const kind of ['folder', 'device'] as const) {
    const path = await findTarget(deps, 'staging_target_path', stagedAt(staging, kind));
    if (path !== undefined) await unbind(deps, path);
  }
}

/** CSI NodeUnpublishVolume: takes the folder away too. No error when nothing is there. */
export async function unpublishFromPod(
  deps: CsiNodeDeps,
  { volumeId, targetPath }: { readonly volumeId: string; readonly targetPath: string },
): Promise<void> {
  parseCsiId('volume_id', volumeId);
  const path = await findTarget(deps, 'target_path', targetPath);
  if (path !== undefined) await unbind(deps, path);
}

/** The record of a volume that is published to this node, and can be used as the call wants to. */
async function findRecord(
  { client, node }: CsiNodeDeps,
  { volume, access }: { readonly volume: string; readonly access: AskedAccess | undefined },
  signal: AbortSignal,
): Promise<{ readonly record: AttachmentRecord; readonly kind: BindKind }> {
  const [stored, { items }] = await Promise.all([
    client.get('Volume', volume, { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  if (stored === undefined) throw new AppError('notFound', `there is no volume ${volume}`);
  const { isBlock } = kindOf(stored.spec);
  assertAccess(access, kindOf(stored.spec));
  const record = items.find(
    (each) =>
      each.spec.volume === volume &&
      each.spec.node === node &&
      isCsiAttachment(each) &&
      each.metadata.deletionTimestamp === undefined,
  );
  if (record !== undefined) return { record, kind: isBlock ? 'device' : 'folder' };
  throw new AppError('precondition', `volume ${volume} is not published to node ${node}`, {
    reason: 'NotPublished',
    hint: 'ControllerPublishVolume comes first',
  });
}

async function waitUntilMounted(deps: CsiNodeDeps, { metadata }: AttachmentRecord, signal: AbortSignal): Promise<void> {
  const { name, uid } = metadata;
  await waitForObject(deps, {
    kind: 'VolumeAttachmentRecord',
    name,
    timeoutMs: CALL_MS,
    signal,
    check: (seen) => {
      if (seen?.metadata.uid !== uid) throw new AppError('precondition', `${name} was unpublished meanwhile`);
      return seen.status?.state === 'Mounted' ? true : undefined;
    },
    describeTimeout: (seen) =>
      new AppError('timeout', `${name} is not mounted: ${seen?.status?.message ?? 'the agent has not looked at it'}`),
  });
}

interface Binding {
  readonly volume: string;
  readonly path: string;
  readonly source: string;
  readonly options: readonly string[];
}

async function bindAnew(deps: CsiNodeDeps, binding: Binding, signal: AbortSignal): Promise<void> {
  const { path, source, options } = binding;
  const seen = await seeBind(deps, { path, source }, signal);
  if (seen.state === 'bound') return settleOptions(deps, binding, { has: seen.entry.options, signal });
  if (seen.state === 'foreign') {
    throw new AppError('precondition', `${seen.entry.source} is mounted at ${path}; it is left alone`, {
      hint: 'unmount it, or choose another path',
    });
  }
  // The kernel keeps a mount whose process has died for ever.
  if (seen.state === 'dead') await unbind(deps, path, { isLazy: true, isFolderKept: true });
  await bind(deps, { source, path, options }, signal);
}

/**
 * A bind that lacks what is never left out is one that a death cut short between its two steps: it is ended. Any other is as
 * somebody asked for.
 *
 * @throws {AppError} exists, when that was something else
 */
async function settleOptions(
  deps: CsiNodeDeps,
  { volume, path, source, options }: Binding,
  { has, signal }: { readonly has: readonly string[]; readonly signal: AbortSignal },
): Promise<void> {
  const isUnfinished = options.some((option) => ALWAYS_SET.has(option) && !has.includes(option));
  if (isUnfinished) return setOptions(deps, { source, path, options }, signal);
  const [wanted = 'rw'] = options;
  if (writability(has) === wanted) return;
  throw new AppError('exists', `volume ${volume} is at ${path} already, and not ${wanted}`, {
    hint: 'unpublish it there first',
  });
}

/** @throws {AppError} precondition, when the volume is anywhere but in its own places */
async function assertAlone(
  { host }: CsiNodeDeps,
  own: { readonly volume: string; readonly staged: string; readonly source: string; readonly path: string },
): Promise<void> {
  const mounted = await mountAt(host, own.source);
  const places = [own.staged, own.source, own.path];
  const other = (await host.mounts.list()).find(
    (entry) =>
      entry.source === mounted?.source &&
      entry.fsType === mounted.fsType &&
      entry.root === mounted.root &&
      !places.includes(entry.target),
  );
  if (other === undefined) return;
  throw new AppError(
    'precondition',
    `volume ${own.volume} is in use at ${other.target}, and only one pod may have it`,
    {
      reason: 'InUseByAnotherPod',
    },
  );
}
