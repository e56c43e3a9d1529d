/** Makes the stored objects as a plan says: creates and updates, never deletes, and may be repeated at any time. */
import { isDeepStrictEqual } from 'node:util';
import { AppError, type Fault, isAppError } from '../../domain/errors.ts';
import { ONE_WRITER_HINT, ONE_WRITER_MOUNT_HINT } from '../../domain/nfs-export/beside-one-node.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { type FieldChange, fieldChanges } from '../../domain/plan/describe-write.ts';
import { diffNfsExports } from '../../domain/plan/diff-nfs-exports.ts';
import { diffPlan, type PlanWrite, type StoredObjects } from '../../domain/plan/diff-plan.ts';
import { diffShares, type RegistrationWrite, type StoredShares } from '../../domain/plan/diff-shares.ts';
import { nameAsRegistered } from '../../domain/plan/name-as-registered.ts';
import { type ResolvedPlan, resolvePlan } from '../../domain/plan/resolve-plan.ts';
import { diffStorageService, type ServiceWrite, type StoredServiceObjects } from '../../domain/plan/storage-service.ts';
import type { ResourceClient, Scope } from '../../ports/resource-client.ts';
import type { ObjectMeta } from '../../schemas/common.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import { type WrittenRecord, withdrawBesideClaim } from '../volumes/withdraw-beside-claim.ts';
import { readPersistentVolumes, readStored } from './read-stored.ts';

export interface ApplyPlanOptions {
  /** Only tells what would be written. */
  readonly isDryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface PlanChange {
  readonly kind: Write['kind'];
  readonly name: string;
  readonly action: 'create' | 'update' | 'unchanged';
  /** What an update changes. */
  readonly fields: readonly FieldChange[];
}

export interface AppliedPlan {
  /** Every object of the plan, in the order written. */
  readonly changes: readonly PlanChange[];
  readonly notices: readonly string[];
  readonly isDryRun: boolean;
}

/** Somebody else may write the same objects at the same time; what they did is looked at again this often. */
const MAX_ATTEMPTS = 5;
/** Versions of one object that only had another status, at most. */
const MAX_STATUS_RACES = 20;

/**
 * Applies a checked plan.
 *
 * @throws {AppError} precondition, when what is there contradicts the plan (then nothing was changed), or a claim for one writing
 *   node was granted meanwhile (then exports and mounts beside it were not made); whatever the client throws (then a part may be
 *   written: apply again)
 */
export async function applyPlan(
  { client }: { readonly client: ResourceClient },
  plan: PlanFile,
  options: ApplyPlanOptions = {},
): Promise<AppliedPlan> {
  const asWritten = resolvePlan(plan);
  const written = new Map<string, PlanChange['action']>();
  const records: WrittenRecord[] = [];
  for (let attempt = 1; ; attempt += 1) {
    const stored = await readAll(client, asWritten, options.signal);
    const resolved = nameAsRegistered(asWritten, new Set(stored.nodes.map(({ metadata }) => metadata.name ?? '')));
    const { writes, notices } = compare(resolved, stored);
    try {
      if (options.isDryRun !== true)
        await writeAll(client, writes, { stored, written, records, signal: options.signal });
      await withdrawRefused(client, records, options);
      const changes = writes.map((write) => describe(write, stored, written));
      return { changes, notices: [...resolved.notices, ...notices], isDryRun: options.isDryRun ?? false };
    } catch (error) {
      const isRace = isAppError(error, 'exists') || isAppError(error, 'conflict') || isAppError(error, 'notFound');
      if (!isRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

type Stored = StoredObjects & StoredServiceObjects & StoredShares;
type Write = PlanWrite | ServiceWrite | RegistrationWrite;

/** Only a plan with shares speaks about PersistentVolumes. */
async function readAll(
  client: ResourceClient,
  { nfsShares }: ResolvedPlan,
  signal: AbortSignal | undefined,
): Promise<Stored> {
  const [stored, persistentVolumes] = await Promise.all([
    readStored(client, signal),
    nfsShares.length === 0 ? [] : readPersistentVolumes(client, signal),
  ]);
  return { ...stored, persistentVolumes };
}

/** @throws {AppError} precondition, with everything in which the plan contradicts what is there */
function compare(
  resolved: ResolvedPlan,
  stored: Stored,
): { readonly writes: readonly Write[]; readonly notices: readonly string[] } {
  const plan = diffPlan(resolved, stored);
  const shares = diffShares(resolved, stored);
  const service = diffStorageService(resolved, stored);
  const exports = diffNfsExports(resolved, stored);
  const conflicts = [...plan.conflicts, ...exports.conflicts, ...shares.conflicts, ...service.conflicts];
  if (conflicts.length === 0) {
    return {
      writes: [...plan.writes, ...exports.writes, ...shares.writes, ...service.writes],
      notices: shares.notices,
    };
  }
  throw contradiction(conflicts);
}

function contradiction(faults: readonly Fault[]): AppError {
  const places = faults.length === 1 ? '1 place' : `${faults.length} places`;
  return new AppError('precondition', `the plan contradicts what is there in ${places}`, {
    reason: 'PlanContradictsState',
    faults,
  });
}

/** A claim may have been granted since everything was looked at: whoever is granted one from now on sees the records. */
async function withdrawRefused(
  client: ResourceClient,
  records: readonly WrittenRecord[],
  { signal }: ApplyPlanOptions,
): Promise<void> {
  const refused = await withdrawBesideClaim(client, records, signal === undefined ? {} : { signal });
  if (refused.length === 0) return;
  throw contradiction(
    refused.map(({ record, fault }) => {
      const { volume, node } = record.spec;
      const [what, hint] = isExport(record) ? ['export', ONE_WRITER_HINT] : ['mount', ONE_WRITER_MOUNT_HINT];
      return { field: `volume ${volume} ${what} on ${node}`, message: `${fault}; ${hint}` };
    }),
  );
}

function describe(write: Write, stored: Stored, written: ReadonlyMap<string, PlanChange['action']>): PlanChange {
  const { kind, name } = write;
  const action = written.get(keyOf(write)) ?? write.action;
  if (write.action !== 'update') return { kind, name, action, fields: [] };
  return { kind, name, action, fields: fieldChanges(seenBefore(write, stored), write.patch) };
}

function seenBefore({ kind, name }: Write, stored: Stored): StoredObject | undefined {
  return listOf(kind, stored).find(({ metadata }) => metadata.name === name);
}

interface StoredObject {
  readonly metadata: ObjectMeta;
}

function listOf(kind: Write['kind'], stored: Stored): readonly StoredObject[] {
  const lists = {
    StorageNode: stored.nodes,
    StorageCluster: stored.clusters,
    Volume: stored.volumes,
    VolumeAttachmentRecord: stored.attachments,
    Namespace: stored.namespaces,
    Service: stored.services,
    EndpointSlice: stored.slices,
    PersistentVolume: stored.persistentVolumes,
  };
  return lists[kind];
}

/** One after the other: nodes stand before the volumes that are placed on them. */
async function writeAll(
  client: ResourceClient,
  writes: readonly Write[],
  context: {
    readonly stored: Stored;
    readonly written: Map<string, PlanChange['action']>;
    /** Those of volumes in use that were written. */
    readonly records: WrittenRecord[];
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  for (const write of writes) {
    if (write.action === 'unchanged') continue;
    const { kind, name } = write;
    const note = (now: StoredObject, before?: StoredObject) => {
      if (kind === 'VolumeAttachmentRecord') context.records.push({ now, before } as WrittenRecord);
    };
    const scope = {
      ...(context.signal === undefined ? {} : { signal: context.signal }),
      ...('namespace' in write ? { namespace: write.namespace } : {}),
    };
    if (write.action === 'create') {
      const object = 'object' in write ? write.object : { metadata: { name, ...write.metadata }, spec: write.spec };
      note(await client.create(kind, object, scope));
    } else {
      const seen = seenBefore(write, context.stored);
      note(await update(client, write, { seen, scope }), seen);
    }
    context.written.set(keyOf(write), write.action);
  }
}

/**
 * Controllers and agents write the status of the same object, which moves its version: as long as nothing else of it has
 * changed, what was decided about it holds.
 *
 * @throws {AppError} conflict, when something else has changed: look at everything again
 */
async function update(
  client: ResourceClient,
  write: Extract<Write, { readonly action: 'update' }>,
  { seen, scope }: { readonly seen: StoredObject | undefined; readonly scope: Scope },
): Promise<StoredObject> {
  const { kind, name, patch } = write;
  let { resourceVersion } = write;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.patch(kind, name, patch, {
        ...scope,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      });
    } catch (error) {
      if (!isAppError(error, 'conflict') || seen === undefined || attempt === MAX_STATUS_RACES) throw error;
      const now = await client.get(kind, name, scope);
      if (now === undefined || !isDeepStrictEqual(apartFromStatus(now), apartFromStatus(seen))) throw error;
      ({ resourceVersion } = now.metadata);
    }
  }
}

/** All of it that people and plans write. */
function apartFromStatus(object: StoredObject): object {
  const { status: _seen, metadata, ...rest } = object as StoredObject & { readonly status?: unknown };
  const { uid, labels, annotations, finalizers, deletionTimestamp } = metadata;
  return { ...rest, metadata: { uid, labels, annotations, finalizers, deletionTimestamp } };
}

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}
