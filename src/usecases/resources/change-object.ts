/**
 * What an API server does to an object on its way in: identity, generation, the split of spec and status, finalizers.
 * Pure; the store and the clock are the callers'.
 */
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../domain/errors.ts';
import type { KindDefinition } from '../../schemas/kinds.ts';
import { isRecord, type JsonRecord, type KubeMeta, type KubeObject, nameObject } from './kube-object.ts';
import { invalidObject } from './validate-object.ts';

export interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** A new object: the client's fields, the server's identity, no status yet. */
export function prepareCreate(definition: KindDefinition, input: JsonRecord, identity: Identity): KubeObject {
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, namespace: _n, ...given } = metadataOf(input);
  const { status, ...rest } = input;
  const metadata: KubeMeta = {
    ...given,
    name: identity.name,
    ...(definition.scope === 'Namespaced' ? { namespace: identity.namespace } : {}),
    uid: identity.uid,
    resourceVersion: '',
    generation: 1,
    creationTimestamp: identity.now,
  };
  const keepsStatus = !definition.hasStatus && status !== undefined;
  return { ...rest, ...(keepsStatus ? { status } : {}), metadata } as KubeObject;
}

/**
 * The stored object with a client's new version of it laid over: status and identity stay, generation goes up when
 * anything but metadata changed.
 *
 * @throws {AppError} conflict, for another uid; invalid, for a finalizer added to an object being deleted
 */
export function prepareUpdate(definition: KindDefinition, before: KubeObject, input: JsonRecord): KubeObject {
  const given = metadataOf(input);
  assertSameUid(definition, before, given['uid']);
  const metadata = { ...given, ...serverOwned(before.metadata) } as KubeMeta;
  if (before.metadata.deletionTimestamp === undefined) delete metadata.deletionTimestamp;
  else assertNoNewFinalizer(definition, before, metadata);
  const { status: givenStatus, ...rest } = input;
  const status = definition.hasStatus ? before['status'] : givenStatus;
  const after = { ...rest, ...(status === undefined ? {} : { status }), metadata } as KubeObject;
  if (!isDeepStrictEqual(desired(before), desired(after))) metadata.generation = before.metadata.generation + 1;
  return after;
}

/** The stored object with only its status replaced, as writes to /status do. */
export function prepareStatus(definition: KindDefinition, before: KubeObject, input: JsonRecord): KubeObject {
  assertSameUid(definition, before, metadataOf(input)['uid']);
  const { status: _old, ...rest } = before;
  const status = input['status'];
  return { ...rest, ...(status === undefined ? {} : { status }) };
}

/** True when nothing but the resourceVersion could differ: such a write is answered without being done. */
export function isUnchanged(before: KubeObject, after: KubeObject): boolean {
  return isDeepStrictEqual(
    { ...before, metadata: { ...before.metadata, resourceVersion: '' } },
    { ...after, metadata: { ...after.metadata, resourceVersion: '' } },
  );
}

/** Marked for deletion and held by no finalizer: the object goes. */
export function isReleased(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
}

/** The object as text with the revision of its write in it. */
export function renderObject(object: KubeObject, revision: number): string {
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}

/** metadata of anything; empty when there is none. */
export function metadataOf(input: JsonRecord): JsonRecord {
  return isRecord(input['metadata']) ? input['metadata'] : {};
}

function serverOwned(metadata: KubeMeta): Partial<KubeMeta> {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } = metadata;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
}

/** What people ask for, as opposed to what the server and the agents say. */
function desired(object: KubeObject): JsonRecord {
  const { metadata: _m, status: _s, apiVersion: _a, kind: _k, ...rest } = object;
  return rest;
}

function assertSameUid(definition: KindDefinition, before: KubeObject, uid: unknown): void {
  if (uid === undefined || uid === '' || uid === before.metadata.uid) return;
  const message = `${nameObject(definition, before.metadata.name)} is another object now: its uid is ${before.metadata.uid}, not ${JSON.stringify(uid)}`;
  throw new AppError('conflict', message, {
    reason: 'Conflict',
    resource: nameObject(definition, before.metadata.name),
    hint: 'read the object again',
  });
}

function assertNoNewFinalizer(definition: KindDefinition, before: KubeObject, metadata: KubeMeta): void {
  const held = before.metadata.finalizers ?? [];
  const added = (metadata.finalizers ?? []).filter((finalizer) => !held.includes(finalizer));
  if (added.length === 0) return;
  const message = `no new finalizers can be added while the object is being deleted (found ${added.join(', ')})`;
  throw invalidObject(definition, before.metadata.name, [{ field: 'metadata.finalizers', message }]);
}
