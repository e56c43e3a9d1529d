/**
 * The Kubernetes API's semantics over an object store, without HTTP: the embedded API server serves it, the simulator
 * and in-process clients call it directly.
 */
import { AppError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { KindName } from '../../schemas/kinds.ts';
import type { Patch } from './apply-patch.ts';
import { isRecord, type JsonRecord, type KubeObject } from './kube-object.ts';
import { getObject, type ListItem, type ListOptions, type ListPage, listObjects } from './list-objects.ts';
import { BUILT_IN_NAMESPACES } from './namespaces.ts';
import type { ResourceScope } from './object-key.ts';
import { createWatchHub } from './watch-hub.ts';
import { type EventBatch, type WatchOptions, watchObjects } from './watch-objects.ts';
import {
  createObject,
  type DeleteOptions,
  type DeleteResult,
  deleteObject,
  patchObject,
  replaceObject,
  type UpdateOptions,
  type WriteDeps,
  type WriteOptions,
} from './write-object.ts';

/** All verbs over all kinds. Objects given out are the caller's own; errors are AppErrors as in the ResourceClient port. */
export interface Resources {
  /** @throws {AppError} notFound */
  get(kind: KindName, name: string, scope?: ResourceScope): ListItem;
  list(kind: KindName, options?: ListOptions): ListPage;
  create(kind: KindName, object: unknown, options?: WriteOptions): Promise<KubeObject>;
  /** Replaces all but the status (or only it); the object carries the resourceVersion it was read with. */
  replace(kind: KindName, name: string, object: unknown, options?: UpdateOptions): Promise<KubeObject>;
  /** A `metadata.resourceVersion` in the patch makes it a compare-and-swap. */
  patch(kind: KindName, name: string, patch: Patch, options?: UpdateOptions): Promise<KubeObject>;
  delete(kind: KindName, name: string, options?: DeleteOptions): Promise<DeleteResult>;
  /** @throws {AppError} conflict with reason Expired, at once or later in the iteration */
  watch(kind: KindName, options: WatchOptions): AsyncGenerator<EventBatch>;
  /** Newest resourceVersion of the store. */
  resourceVersion(): string;
  /** Creates the namespaces that are always there, so that lists show them. Safe to repeat. */
  ensureNamespaces(): Promise<void>;
}

/** @param deps - `store` may be shared with nobody else; clock and random give timestamps, uids and generated names */
export function createResources(deps: WriteDeps & { readonly store: ObjectStore }): Resources {
  const hub = createWatchHub(deps.store);
  const create: Resources['create'] = async (kind, object, options = {}) =>
    createObject(deps, kind, asObject(object), options);
  return {
    get: (kind, name, scope = {}) => getObject(deps.store, kind, name, scope),
    list: (kind, options = {}) => listObjects(deps.store, kind, options),
    create,
    replace: async (kind, name, object, options = {}) => replaceObject(deps, { kind, name }, asObject(object), options),
    patch: async (kind, name, patch, options = {}) => patchObject(deps, { kind, name }, patch, options),
    delete: async (kind, name, options = {}) => deleteObject(deps, { kind, name }, options),
    watch: (kind, options) => watchObjects({ store: deps.store, hub }, kind, options),
    resourceVersion: () => String(deps.store.revision()),
    async ensureNamespaces() {
      for (const name of BUILT_IN_NAMESPACES) {
        const isThere = deps.store.get({ resource: 'namespaces', namespace: '', name }) !== undefined;
        if (!isThere) await create('Namespace', { metadata: { name } });
      }
    },
  };
}

/** @throws {AppError} invalid with reason BadRequest, for anything that is no JSON object */
function asObject(value: unknown): JsonRecord {
  if (isRecord(value)) return value;
  throw new AppError('invalid', 'the body is not a JSON object', { reason: 'BadRequest' });
}
