/** Serves a volume by NFS to machines that are no nodes, or changes to whom; repeated, it changes nothing more. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { ATTACHMENT_FINALIZER } from '../../domain/finalizers.ts';
import { nearest } from '../../domain/nearest.ts';
import { ONE_WRITER_HINT, oneWriterFault } from '../../domain/nfs-export/beside-one-node.ts';
import { chooseExportId } from '../../domain/nfs-export/export-id.ts';
import { chooseClients, type ExportTerms, lossesOf } from '../../domain/nfs-export/export-wish.ts';
import { exportName, exportPath, isExport, type Squash } from '../../domain/nfs-export/names.ts';
import { addressesOf } from '../../domain/node/addresses-of.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findVolume } from './read-volumes.ts';
import { withdrawBesideClaim } from './withdraw-beside-claim.ts';

type StoredRecord = Resource<'VolumeAttachmentRecord'>;

export interface ExportRequest {
  readonly volume: string;
  /** Clients as people write them; those that may mount the volume itself when left out. */
  readonly to?: readonly string[];
  /** Nodes that are to serve it; those that do, else the volume's anchor, when left out. */
  readonly nodes?: readonly string[];
  readonly isReadOnly: boolean;
  readonly squash: Squash;
  /** Clients may be named that may not mount the volume itself. */
  readonly mayGoBeyond: boolean;
}

export interface ExportOptions {
  readonly isDryRun?: boolean;
  /** Waits this long until it is served; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked where clients lose something; nothing is changed when the answer is false. */
  readonly confirm: (losses: readonly string[]) => Promise<boolean>;
}

export interface ExportedOn extends ExportTerms {
  readonly node: string;
  readonly action: 'create' | 'update' | 'unchanged';
  /** What clients mount; known once the node serves it. */
  readonly address?: string;
}

export interface ExportedVolume {
  readonly name: string;
  readonly outcome: 'kept' | 'stored' | 'served' | 'foreseen';
  readonly exports: readonly ExportedOn[];
  readonly notices: readonly string[];
}

/**
 * Exports a volume.
 *
 * @throws {AppError} notFound; invalid, for clients that cannot be had; unsupported, for another engine; precondition, when a
 *   claim has it so that one node alone writes; unavailable, when a node says why it does not serve it; timeout
 */
export async function exportVolume(
  deps: WaitDeps,
  request: ExportRequest,
  options: ExportOptions,
): Promise<ExportedVolume> {
  const { client } = deps;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const volume = await findVolume({ client, ...scope }, request.volume);
  assertExportable(volume);
  const [records, nodes, clusters] = await Promise.all([
    client.list('VolumeAttachmentRecord', scope),
    client.list('StorageNode', scope),
    client.list('StorageCluster', scope),
  ]);
  const known = records.items.filter(isExport);
  const own = known.filter(({ spec }) => spec.volume === request.volume);
  const terms = termsOf(request, volume, nodes.items);
  const places = placesOf(request, volume, { own, nodes: nodes.items });
  const changes = places.map((node) => compare(node, terms, own));
  if (changes.some(({ shown }) => shown.action !== 'unchanged')) assertMayWrite(records.items, request);
  const notices = noticesOn(volume, clusters.items);
  const result = { name: request.volume, exports: changes.map(({ shown }) => shown), notices };
  const losses = [
    ...new Set(changes.flatMap(({ record }) => (record === undefined ? [] : lossesOf(termsIn(record), terms)))),
  ];
  if (options.isDryRun === true) return { ...result, outcome: 'foreseen' };
  if (losses.length > 0 && !(await options.confirm(losses))) return { ...result, outcome: 'kept' };

  const id = chooseExportId(
    volume.metadata,
    known.flatMap(({ spec }) => (spec.export === undefined ? [] : [{ volume: spec.volume, id: spec.export.id }])),
  );
  if (id === undefined)
    throw new AppError('capacity', 'no number is left for another export', { hint: 'take an export away' });
  const stored = await Promise.all(changes.map((change) => write(client, request.volume, { ...change, id }, scope)));
  // A claim may have been granted since: whoever is granted one from now on sees the records.
  const written = stored.flatMap((now, at) => {
    const { shown, record: before } = changes[at] ?? {};
    return shown?.action === 'unchanged' ? [] : [{ now, before }];
  });
  const [refused] = await withdrawBesideClaim(client, written, scope);
  if (refused !== undefined) throw besideClaim(request.volume, refused.fault);
  const { waitMs } = options;
  if (waitMs === undefined) return { ...result, outcome: 'stored' };
  const served = await Promise.all(stored.map((record) => waitUntilServed(deps, record, { ...scope, waitMs })));
  return {
    ...result,
    outcome: 'served',
    exports: result.exports.map((each, at) => ({ ...each, ...whereServed(served[at]) })),
  };
}

function assertExportable({ metadata, spec }: Resource<'Volume'>): void {
  const resource = `volume ${metadata.name}`;
  if (metadata.deletionTimestamp !== undefined)
    throw new AppError('precondition', `${resource} is being deleted`, { resource });
  if (spec.engine === 'gluster') return;
  throw new AppError('unsupported', `${resource} is of engine ${spec.engine}; only volumes of gluster are exported`, {
    resource,
    reason: 'EngineMismatch',
    hint: spec.engine === 'nfs' ? 'its own file server exports it' : 'copy its data to a volume of engine gluster',
  });
}

function assertMayWrite(records: readonly StoredRecord[], { volume, isReadOnly }: ExportRequest): void {
  const fault = isReadOnly ? undefined : oneWriterFault(records, volume);
  if (fault !== undefined) throw besideClaim(volume, fault);
}

function besideClaim(volume: string, fault: string): AppError {
  const details = { resource: `volume ${volume}`, reason: 'PublishedToOneNode', hint: ONE_WRITER_HINT };
  return new AppError('precondition', fault, details);
}

function noticesOn({ spec }: Resource<'Volume'>, clusters: readonly Resource<'StorageCluster'>[]): readonly string[] {
  const encrypted = [
    ...(spec.encryption === true ? ['the volume'] : []),
    ...(clusters.some((cluster) => cluster.spec.tls?.isEnabled === true) ? ['storage traffic'] : []),
  ];
  if (encrypted.length === 0) return [];
  return [`${encrypted.join(' and ')} is encrypted; what NFS clients and the node send each other is not`];
}

const HINTS = {
  nobody: 'name them: --to 10.10.0.0/16',
  unread: 'IPv6 is not served',
  unknown: 'see there with: gluster volume get NAME auth.allow; if the clients are among those, say --beyond-allowed',
  beyond: 'leave them out, or say --beyond-allowed',
} as const;

function termsOf(
  request: ExportRequest,
  { metadata, spec }: Resource<'Volume'>,
  nodes: readonly Resource<'StorageNode'>[],
): ExportTerms {
  const { to, isReadOnly, squash, mayGoBeyond } = request;
  const nodeAddresses = nodes.flatMap((node) => addressesOf(node.spec));
  const isListUnknown = spec.adopted !== undefined;
  const chosen = chooseClients({ to, allowFrom: spec.allowFrom ?? [], nodeAddresses, isListUnknown, mayGoBeyond });
  if (chosen.ok) return { clients: chosen.clients, isReadOnly, squash, mayGoBeyond };
  const { message, fault } = chosen;
  throw new AppError('invalid', `volume ${metadata.name}: ${message}`, {
    resource: `volume ${metadata.name}`,
    reason: 'ClientRefused',
    hint: HINTS[fault],
  });
}

function placesOf(
  { nodes: asked }: ExportRequest,
  { metadata, status }: Resource<'Volume'>,
  seen: { readonly own: readonly StoredRecord[]; readonly nodes: readonly Resource<'StorageNode'>[] },
): readonly string[] {
  const names = seen.nodes.map((node) => node.metadata.name);
  const missing = asked?.find((name) => !names.includes(name));
  if (missing !== undefined) {
    const meant = nearest(missing, names);
    const hint = meant === undefined ? 'see: holdfast node list' : `did you mean ${meant}?`;
    throw new AppError('notFound', `there is no node ${JSON.stringify(missing.slice(0, 63))}`, {
      reason: 'NodeNotFound',
      hint,
    });
  }
  if (asked !== undefined) return [...new Set(asked)];
  if (seen.own.length > 0) return seen.own.map(({ spec }) => spec.node);
  const anchor = status?.anchor ?? status?.placement?.[0]?.node;
  if (anchor !== undefined) return [anchor];
  throw new AppError('precondition', `volume ${metadata.name} has no node yet that could serve it`, {
    hint: 'wait until it is ready, or name one: --node NODE',
  });
}

interface Change {
  readonly shown: ExportedOn;
  readonly record: StoredRecord | undefined;
}

function compare(node: string, terms: ExportTerms, own: readonly StoredRecord[]): Change {
  const record = own.find(({ spec }) => spec.node === node);
  if (record?.metadata.deletionTimestamp !== undefined) {
    throw new AppError('conflict', `the export of volume ${record.spec.volume} on ${node} is being taken away`, {
      hint: 'ask again',
    });
  }
  if (record === undefined) return { shown: { node, ...terms, action: 'create' }, record };
  const isSame = JSON.stringify(termsIn(record)) === JSON.stringify(terms);
  return { shown: { node, ...terms, action: isSame ? 'unchanged' : 'update' }, record };
}

function termsIn({ spec }: StoredRecord): ExportTerms {
  const { clients = [], squash = 'none', mayGoBeyond = false } = spec.export ?? {};
  return { clients, isReadOnly: spec.isReadOnly, squash, mayGoBeyond };
}

async function write(
  client: ResourceClient,
  volume: string,
  { shown, record, id }: Change & { readonly id: number },
  scope: { readonly signal?: AbortSignal },
): Promise<StoredRecord> {
  const { node, clients, isReadOnly, squash, mayGoBeyond, action } = shown;
  const name = exportName(volume, node);
  const terms = { clients: [...clients], squash, mayGoBeyond };
  if (record === undefined) {
    const metadata = { name, finalizers: [ATTACHMENT_FINALIZER], labels: { 'holdfast.dev/volume': volume } };
    const spec = { volume, node, mountPath: exportPath(volume), isReadOnly, export: { id, ...terms } };
    return client.create('VolumeAttachmentRecord', { metadata, spec }, scope).catch((error: unknown) => {
      if (!isAppError(error, 'exists')) throw error;
      throw new AppError('conflict', `volume ${volume} is being exported on ${node} by somebody else`, {
        hint: 'ask again',
      });
    });
  }
  if (action === 'unchanged') return record;
  const { uid, resourceVersion } = record.metadata;
  const patch = { spec: { isReadOnly, export: terms } };
  return client.patch('VolumeAttachmentRecord', name, patch, { ...scope, uid, resourceVersion });
}

async function waitUntilServed(
  deps: WaitDeps,
  { metadata, spec }: StoredRecord,
  { waitMs, ...scope }: { readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<StoredRecord> {
  const about = `volume ${spec.volume} is not exported on ${spec.node}`;
  const details = {
    resource: `volume ${spec.volume}`,
    hint: `its node tries again; see: holdfast volume show ${spec.volume}`,
  };
  return waitForObject(deps, {
    kind: 'VolumeAttachmentRecord',
    name: metadata.name,
    timeoutMs: waitMs,
    ...scope,
    check: (seen) => {
      if (seen === undefined) throw new AppError('notFound', `${about}: it was taken away meanwhile`);
      if (seen.status?.observedGeneration !== metadata.generation) return undefined;
      if (seen.status?.state === 'Failed')
        throw new AppError('unavailable', `${about}: ${seen.status.message}`, { ...details, reason: 'NotServed' });
      return seen.status?.state === 'Mounted' ? seen : undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `${about} after ${waitMs / 1000} s: ${seen?.status?.message ?? 'its node has not said anything yet'}`,
        {
          ...details,
          reason: 'NotServedInTime',
        },
      ),
  });
}

function whereServed(record: StoredRecord | undefined): Pick<ExportedOn, 'address'> {
  const address = record?.status?.address;
  return address === undefined ? {} : { address };
}
