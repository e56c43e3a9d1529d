/** Makes the stored objects as a plan says: creates and updates, never deletes, and may be repeated at any time. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { diffPlan, type PlannedKind, type PlanWrite, type StoredObjects } from '../../domain/plan/diff-plan.ts';
import { nfsNotThere, resolvePlan } from '../../domain/plan/resolve-plan.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';

export interface ApplyPlanOptions {
  /** Only tells what would be written. */
  readonly isDryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface PlanChange {
  readonly kind: PlannedKind;
  readonly name: string;
  readonly action: 'create' | 'update' | 'unchanged';
}

export interface AppliedPlan {
  /** Every object of the plan, in the order written. */
  readonly changes: readonly PlanChange[];
  readonly notices: readonly string[];
  readonly isDryRun: boolean;
}

/** Somebody else may write the same objects at the same time; what they did is looked at again this often. */
const MAX_ATTEMPTS = 5;

/**
 * Applies a checked plan.
 *
 * @throws {AppError} unsupported, for NFS shares; precondition, when what is there contradicts the plan (then nothing
 *   was changed); whatever the client throws (then a part may be written: apply again)
 */
export async function applyPlan(
  { client }: { readonly client: ResourceClient },
  plan: PlanFile,
  options: ApplyPlanOptions = {},
): Promise<AppliedPlan> {
  const resolved = resolvePlan(plan);
  if (resolved.nfsShares.length > 0) {
    throw new AppError('unsupported', `${nfsNotThere(resolved.nfsShares)}; nothing was changed`, {
      reason: 'NfsNotInThisVersion',
      hint: 'remove the section nfs from the plan and apply it again',
    });
  }
  const written = new Map<string, PlanChange['action']>();
  for (let attempt = 1; ; attempt += 1) {
    const { writes, conflicts } = diffPlan(resolved, await readStored(client, options.signal));
    if (conflicts.length > 0) {
      throw new AppError('precondition', `the plan contradicts what is there in ${conflicts.length} places`, {
        reason: 'PlanContradictsState',
        faults: conflicts,
      });
    }
    try {
      if (options.isDryRun !== true) await writeAll(client, writes, { written, signal: options.signal });
      const changes = writes.map(({ kind, name, action }) => {
        return { kind, name, action: written.get(keyOf({ kind, name })) ?? action };
      });
      return { changes, notices: resolved.notices, isDryRun: options.isDryRun ?? false };
    } catch (error) {
      const isRace = isAppError(error, 'exists') || isAppError(error, 'conflict') || isAppError(error, 'notFound');
      if (!isRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function readStored(client: ResourceClient, signal: AbortSignal | undefined): Promise<StoredObjects> {
  const options = signal === undefined ? {} : { signal };
  const [clusters, nodes, volumes, copies, attachments] = await Promise.all([
    client.list('StorageCluster', options),
    client.list('StorageNode', options),
    client.list('Volume', options),
    client.list('VolumeCopy', options),
    client.list('VolumeAttachmentRecord', options),
  ]);
  return {
    clusters: clusters.items,
    nodes: nodes.items,
    volumes: volumes.items,
    copies: copies.items,
    attachments: attachments.items,
  };
}

/** One after the other: nodes stand before the volumes that are placed on them. */
async function writeAll(
  client: ResourceClient,
  writes: readonly PlanWrite[],
  context: { readonly written: Map<string, PlanChange['action']>; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const scope = context.signal === undefined ? {} : { signal: context.signal };
  for (const write of writes) {
    if (write.action === 'unchanged') continue;
    const { kind, name } = write;
    if (write.action === 'create') {
      await client.create(kind, { metadata: { name, ...write.metadata }, spec: write.spec }, scope);
    } else {
      const version = write.resourceVersion === undefined ? {} : { resourceVersion: write.resourceVersion };
      await client.patch(kind, name, write.patch, { ...scope, ...version });
    }
    context.written.set(keyOf(write), write.action);
  }
}

function keyOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind}/${name}`;
}
