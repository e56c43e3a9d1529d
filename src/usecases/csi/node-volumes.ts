/**
 * CSI node calls. The agent mounts a published volume once per node and looks after the mount; these wait for it and bind it to
 * where it is asked for. So the process behind a mount is nobody's child, and one that has died is mounted anew.
 */
import { type AskedAccess, isReadingOnly, parseAccess, podMountOptions } from '../../domain/csi/access.ts';
import { isCsiAttachment } from '../../domain/csi/attachments.ts';
import { writability } from '../../domain/csi/mount-state.ts';
import { parseCsiId } from '../../domain/csi/names.ts';
import { parseTargetPath } from '../../domain/csi/target-path.ts';
import { AppError } from '../../domain/errors.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { waitForObject } from '../waiting/wait-for-object.ts';
import { bind, findTarget, makeTarget, mountAt, seeBind, setOptions, unbind } from './bind-mounts.ts';
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
 * CSI NodeStageVolume: waits until the volume is mounted here, and binds it to the staging path.
 *
 * @throws {AppError} notFound; precondition, when it is not published to this node, or something else is at the path; exists,
 *   when it is published with another access mode; unavailable
 */
export async function stageVolume(deps: CsiNodeDeps, request: StageRequest, signal: AbortSignal): Promise<void> {
  const volume = parseCsiId('volume_id', request.volumeId);
  // Judged before anything is looked up or made.
  parseTargetPath('staging_target_path', request.stagingPath, deps.targetRoot);
  const { mode } = parseAccess(request.access);
  const record = await findRecord(deps, volume, signal);
  if (record.spec.accessMode !== mode) {
    throw new AppError(
      'exists',
      `volume ${volume} is published to this node as ${record.spec.accessMode}, not ${mode}`,
    );
  }
  const path = await makeTarget(deps, 'staging_target_path', request.stagingPath);
  await waitUntilMounted(deps, record, signal);
  const source = record.spec.mountPath;
  await bindAnew(deps, { volume, path, source, options: stagingOptions(record) }, signal);
}

function stagingOptions({ spec }: AttachmentRecord): readonly string[] {
  return [spec.isReadOnly ? 'ro' : 'rw'];
}

/**
 * CSI NodePublishVolume: binds a staged volume to a path of a pod.
 *
 * @throws {AppError} precondition, when it is not staged, or one pod alone may have it and another has; exists, when it is
 *   published there otherwise
 */
export async function publishToPod(deps: CsiNodeDeps, request: NodePublishRequest, signal: AbortSignal): Promise<void> {
  const volume = parseCsiId('volume_id', request.volumeId);
  parseTargetPath('target_path', request.targetPath, deps.targetRoot);
  parseTargetPath('staging_target_path', request.stagingPath, deps.targetRoot);
  const { mode, flags } = parseAccess(request.access);
  const record = await findRecord(deps, volume, signal);
  const staging = await makeTarget(deps, 'staging_target_path', request.stagingPath);
  const source = record.spec.mountPath;
  const staged = await seeBind(deps, { path: staging, source }, signal);
  if (staged.state === 'dead')
    await bindAnew(deps, { volume, path: staging, source, options: stagingOptions(record) }, signal);
  else if (staged.state !== 'bound') {
    throw new AppError('precondition', `volume ${volume} is not staged at ${staging}`, { hint: 'stage it first' });
  }
  const path = await makeTarget(deps, 'target_path', request.targetPath);
  if (mode === 'SingleNodeSingleWriter') await assertAlone(deps, { volume, staged: staging, source, path });
  const isReadOnly = request.isReadOnly || record.spec.isReadOnly || isReadingOnly(mode);
  await bindAnew(deps, { volume, path, source, options: podMountOptions(flags, isReadOnly) }, signal);
}

/** CSI NodeUnstageVolume. No error when nothing is there. */
export async function unstageVolume(
  deps: CsiNodeDeps,
  { volumeId, stagingPath }: Pick<StageRequest, 'volumeId' | 'stagingPath'>,
): Promise<void> {
  parseCsiId('volume_id', volumeId);
  const path = await findTarget(deps, 'staging_target_path', stagingPath);
  // Its maker removes the folder.
  if (path !== undefined) await unbind(deps, path, { isFolderKept: true });
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

async function findRecord(deps: CsiNodeDeps, volume: string, signal: AbortSignal): Promise<AttachmentRecord> {
  const { client, node } = deps;
  const [stored, { items }] = await Promise.all([
    client.get('Volume', volume, { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
  ]);
  if (stored === undefined) throw new AppError('notFound', `there is no volume ${volume}`);
  const record = items.find(
    (each) =>
      each.spec.volume === volume &&
      each.spec.node === node &&
      isCsiAttachment(each) &&
      each.metadata.deletionTimestamp === undefined,
  );
  if (record !== undefined) return record;
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
    (entry) => entry.source === mounted?.source && entry.fsType === mounted.fsType && !places.includes(entry.target),
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
