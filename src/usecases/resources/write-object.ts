/** The writing half of the API: each verb is one transaction that reads, judges and writes. */

import { AppError } from '../../domain/errors.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ObjectKey, ObjectStore, StoredObject, StoreTransaction } from '../../ports/object-store.ts';
import type { Random } from '../../ports/random.ts';
import { apiVersionOf } from '../../schemas/kind-names.ts';
import type { KindDefinition, KindName } from '../../schemas/kinds.ts';
import { applyPatch, type Patch } from './apply-patch.ts';
import {
  type Identity,
  isReleased,
  isUnchanged,
  metadataOf,
  prepareCreate,
  prepareStatus,
  prepareUpdate,
  renderObject,
} from './change-object.ts';
import { fixedFieldFaults } from './fixed-fields.ts';
import { definitionOf, type JsonRecord, type KubeObject, nameObject } from './kube-object.ts';
import { assertNamespaceExists, assertNamespaceRemovable } from './namespaces.ts';
import { keyOf, type ResourceScope } from './object-key.ts';
import { metadataFaults } from './validate-metadata.ts';
import { type FieldValidation, invalidObject, nameOf, validateObject } from './validate-object.ts';

/** Judges a write by the object before and after it (undefined: not there); throws AppError denied to refuse it. */
export type WriteGuard = (before: KubeObject | undefined, after: KubeObject | undefined) => void;

export interface WriteOptions extends ResourceScope {
  readonly fieldValidation?: FieldValidation | undefined;
  /** Does everything but the write. */
  readonly isDryRun?: boolean;
  readonly guard?: WriteGuard | undefined;
  /** Given one line per field that was dropped. */
  readonly onWarning?: (message: string) => void;
}

export interface UpdateOptions extends WriteOptions {
  readonly subresource?: 'status' | undefined;
}

export interface DeleteOptions extends WriteOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface DeleteResult {
  readonly object: KubeObject;
  /** False: finalizers hold the object, which now carries a deletionTimestamp. */
  readonly isGone: boolean;
}

export interface WriteDeps {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

/** Kubernetes' alphabet for generated names: no vowels, so no words. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const NAME_ATTEMPTS = 8;

/** @throws {AppError} invalid, exists, notFound (the namespace), denied, unavailable */
export async function createObject(
  deps: WriteDeps,
  kind: KindName,
  input: JsonRecord,
  options: WriteOptions,
): Promise<KubeObject> {
  const definition = definitionOf(kind);
  const metadata = metadataOf(input);
  if (metadata['resourceVersion'] !== undefined && metadata['resourceVersion'] !== '') {
    throw new AppError('invalid', 'resourceVersion must not be set on an object to be created', {
      reason: 'BadRequest',
    });
  }
  const checked = validate(definition, input, options);
  const now = kubernetesTime(deps.clock.now());
  return deps.store
    .transact((transaction) => {
      const key = chooseKey({ deps, definition, transaction, options }, metadata);
      const identity: Identity = { name: key.name, namespace: key.namespace, uid: deps.random.uuid(), now };
      const created = prepareCreate(definition, checked, identity);
      assertNamespaceExists(transaction, definition, key.namespace);
      options.guard?.(undefined, created);
      return write({ transaction, key, before: undefined, after: created, options });
    })
    .then((written) => written());
}

/** Replaces all but the status, or only the status. @throws {AppError} notFound, conflict, invalid, denied, unavailable */
export async function replaceObject(
  deps: WriteDeps,
  target: { readonly kind: KindName; readonly name: string },
  input: JsonRecord,
  options: UpdateOptions,
): Promise<KubeObject> {
  const definition = definitionOf(target.kind);
  return updateObject(deps, target, options, () => {
    const version = metadataOf(input)['resourceVersion'];
    if (typeof version === 'string' && version !== '') return input;
    const message = 'must be the resourceVersion that the object was read with';
    throw invalidObject(definition, target.name, [{ field: 'metadata.resourceVersion', message }]);
  });
}

/** Patches the object or its status. @throws {AppError} notFound, conflict, invalid, unsupported, denied, unavailable */
export async function patchObject(
  deps: WriteDeps,
  target: { readonly kind: KindName; readonly name: string },
  patch: Patch,
  options: UpdateOptions,
): Promise<KubeObject> {
  const definition = definitionOf(target.kind);
  return updateObject(deps, target, options, (before) => applyPatch(definition, before, patch));
}

async function updateObject(
  deps: WriteDeps,
  target: { readonly kind: KindName; readonly name: string },
  options: UpdateOptions,
  change: (before: KubeObject) => JsonRecord,
): Promise<KubeObject> {
  const definition = definitionOf(target.kind);
  if (options.subresource === 'status' && !definition.hasStatus) {
    throw new AppError('notFound', `${definition.plural} have no status`, { reason: 'NotFound' });
  }
  const written = await deps.store.transact((transaction) => {
    const key = keyOf(definition, target.name, options);
    const stored = need(transaction.get(key), definition, target.name);
    const before = JSON.parse(stored.text) as KubeObject;
    const input = change(before);
    assertSameVersion(definition, before, metadataOf(input)['resourceVersion']);
    assertSameName(definition, before, input);
    const prepare = options.subresource === 'status' ? prepareStatus : prepareUpdate;
    const draft = prepare(definition, before, validate(definition, input, options));
    const fixed = fixedFieldFaults(before, draft);
    if (fixed.length > 0) throw invalidObject(definition, target.name, fixed);
    options.guard?.(before, draft);
    return write({ transaction, key, before: { stored, object: before }, after: draft, options });
  });
  return written();
}

/** Marks for deletion, or removes what no finalizer holds. @throws {AppError} notFound, conflict, precondition, denied */
export async function deleteObject(
  deps: WriteDeps,
  target: { readonly kind: KindName; readonly name: string },
  options: DeleteOptions,
): Promise<DeleteResult> {
  const definition = definitionOf(target.kind);
  const now = kubernetesTime(deps.clock.now());
  const result = await deps.store.transact((transaction) => {
    assertNamespaceRemovable(transaction, definition, target.name);
    const key = keyOf(definition, target.name, options);
    const stored = need(transaction.get(key), definition, target.name);
    const before = JSON.parse(stored.text) as KubeObject;
    assertPreconditions(definition, before, options);
    const metadata = { ...before.metadata, deletionTimestamp: before.metadata.deletionTimestamp ?? now };
    const after: KubeObject = { ...before, metadata };
    const isGone = isReleased(after);
    options.guard?.(before, isGone ? undefined : after);
    return { isGone, written: write({ transaction, key, before: { stored, object: before }, after, options }) };
  });
  return { object: result.written(), isGone: result.isGone };
}

function validate(definition: KindDefinition, input: JsonRecord, options: UpdateOptions): JsonRecord {
  const part = options.subresource;
  const withType = { apiVersion: apiVersionOf(definition), kind: definition.kind, ...input };
  const { object, warnings } = validateObject(definition, withType, {
    fieldValidation: options.fieldValidation,
    ...(part === undefined ? {} : { part }),
  });
  if (part === undefined) {
    const faults = metadataFaults(definition, metadataOf(object));
    if (faults.length > 0) throw invalidObject(definition, nameOf(object), faults);
  }
  for (const warning of warnings) options.onWarning?.(warning);
  return object;
}

interface PlannedWrite {
  readonly transaction: StoreTransaction;
  readonly key: ObjectKey;
  readonly before: { readonly stored: StoredObject; readonly object: KubeObject } | undefined;
  readonly after: KubeObject;
  readonly options: WriteOptions;
}

/** Writes, unless nothing changes or it is a dry run; the answer can be read once the transaction is done. */
function write(planned: PlannedWrite): () => KubeObject {
  const { transaction, key, before, after, options } = planned;
  const revision = before?.stored.revision ?? 0;
  let writtenAt = revision;
  const render = (at: number) => {
    writtenAt = at;
    return renderObject(after, at);
  };
  if (before !== undefined && isUnchanged(before.object, after) && !isReleased(after)) return () => before.object;
  if (options.isDryRun !== true) {
    if (isReleased(after)) transaction.remove(key, revision, render);
    else transaction.put(key, revision, render);
  }
  return () => ({ ...after, metadata: { ...after.metadata, resourceVersion: String(writtenAt) } });
}

interface Creation {
  readonly deps: WriteDeps;
  readonly definition: KindDefinition;
  readonly transaction: StoreTransaction;
  readonly options: WriteOptions;
}

function chooseKey(creation: Creation, metadata: JsonRecord): ObjectKey {
  const { deps, definition, transaction } = creation;
  const { name, generateName } = metadata;
  const scope = { namespace: chooseNamespace(creation, metadata['namespace']) };
  if (typeof name === 'string' && name !== '') {
    const key = keyOf(definition, name, scope);
    if (transaction.get(key) === undefined) return key;
    throw new AppError('exists', `${nameObject(definition, name)} already exists`, {
      reason: 'AlreadyExists',
      resource: nameObject(definition, name),
    });
  }
  if (typeof generateName === 'string' && generateName !== '') {
    return generateKey(deps.random, transaction, (suffix) => keyOf(definition, `${generateName}${suffix}`, scope));
  }
  throw invalidObject(definition, '', [{ field: 'metadata.name', message: 'name or generateName is required' }]);
}

/** The namespace of the request, or else that of the object; where both are given they must agree. */
function chooseNamespace(creation: Creation, given: unknown): string | undefined {
  const asked = creation.options.namespace;
  if (typeof given !== 'string' || given === '') return asked;
  if (creation.definition.scope === 'Cluster' || asked === undefined || asked === given) return asked ?? given;
  throw new AppError('invalid', `the namespace of the object (${given}) is not the one of the request (${asked})`, {
    reason: 'BadRequest',
  });
}

function generateKey(random: Random, transaction: StoreTransaction, toKey: (suffix: string) => ObjectKey): ObjectKey {
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    const letters = Array.from({ length: 5 }, () => NAME_ALPHABET[Math.floor(random.next() * NAME_ALPHABET.length)]);
    const key = toKey(letters.join(''));
    if (transaction.get(key) === undefined) return key;
  }
  throw new AppError('exists', `no free name was found in ${NAME_ATTEMPTS} tries`, {
    reason: 'AlreadyExists',
    hint: 'try again, or with another generateName',
  });
}

function need(stored: StoredObject | undefined, definition: KindDefinition, name: string): StoredObject {
  if (stored !== undefined) return stored;
  throw new AppError('notFound', `${nameObject(definition, name)} not found`, {
    reason: 'NotFound',
    resource: nameObject(definition, name),
  });
}

function assertSameVersion(definition: KindDefinition, before: KubeObject, version: unknown): void {
  if (version === undefined || version === '' || version === before.metadata.resourceVersion) return;
  throw conflict(
    definition,
    before.metadata.name,
    'it was changed since it was read; read it again and repeat the change',
  );
}

function assertSameName(definition: KindDefinition, before: KubeObject, input: JsonRecord): void {
  const { name, namespace } = metadataOf(input);
  const isOther = (given: unknown, own: string | undefined) => given !== undefined && given !== '' && given !== own;
  if (!isOther(name, before.metadata.name) && !isOther(namespace, before.metadata.namespace)) return;
  const message = `name and namespace of ${nameObject(definition, before.metadata.name)} cannot be changed`;
  throw new AppError('invalid', message, { reason: 'BadRequest' });
}

function assertPreconditions(definition: KindDefinition, before: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion, name } = before.metadata;
  if (options.uid !== undefined && options.uid !== uid) {
    throw conflict(definition, name, `precondition failed: its uid is ${uid}, not ${options.uid}`);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const message = `precondition failed: its resourceVersion is ${resourceVersion}, not ${options.resourceVersion}`;
    throw conflict(definition, name, message);
  }
}

function conflict(definition: KindDefinition, name: string, message: string): AppError {
  return new AppError('conflict', `${nameObject(definition, name)}: ${message}`, {
    reason: 'Conflict',
    resource: nameObject(definition, name),
  });
}
