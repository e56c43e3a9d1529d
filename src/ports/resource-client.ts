/** The Kubernetes API as Holdfast uses it, embedded or real: typed by kind, everything else by name. */
import type { KindName, ObjectOf, Stored } from '../schemas/kinds.ts';

export type Resource<K extends KindName> = Stored<ObjectOf<K>>;

/** As a namespace of lists and watches: all of them. */
export const ALL_NAMESPACES = '*';

export interface Scope {
  /** For namespaced kinds; default holdfast-system. Lists and watches can have {@link ALL_NAMESPACES}. */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

export interface ListOptions extends Scope {
  /** As in kubectl -l: "a=b,c!=d". */
  readonly labelSelector?: string;
  /** As in kubectl --field-selector: "spec.node=kube1". */
  readonly fieldSelector?: string;
}

export interface ResourceList<K extends KindName> {
  readonly items: readonly Resource<K>[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

export type WatchEvent<K extends KindName> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Resource<K> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
}

/** RFC 7396 merge patch: null removes a key, lists are replaced whole. */
export type MergePatch = Readonly<Record<string, unknown>>;

export interface PatchOptions extends Scope {
  readonly subresource?: 'status';
  /** Compare-and-swap: fails with kind conflict when the object has moved on. */
  readonly resourceVersion?: string;
  /** Patches only this very object, not a later one of the same name: fails with kind conflict. */
  readonly uid?: string;
}

export interface DeleteOptions extends Scope {
  /** Deletes only this very object, not a later one of the same name. */
  readonly uid?: string;
}

/**
 * Errors are AppErrors: notFound (patch, replace, watch of a missing thing), exists (create), conflict (stale
 * resourceVersion or uid), invalid (with the faulty fields), denied, unavailable (no answer: the outcome is unknown,
 * ask again), timeout, cancelled. A watch whose resourceVersion is too old throws `conflict` with reason 'Expired'.
 */
export interface ResourceClient {
  /** Undefined when there is no such object. */
  get<K extends KindName>(kind: K, name: string, scope?: Scope): Promise<Resource<K> | undefined>;
  list<K extends KindName>(kind: K, options?: ListOptions): Promise<ResourceList<K>>;
  create<K extends KindName>(kind: K, object: NoInfer<CreateInput<K>>, scope?: Scope): Promise<Resource<K>>;
  /** Compare-and-swap of everything but status: the object carries the resourceVersion it was read with. */
  replace<K extends KindName>(kind: K, object: Resource<K>, scope?: Scope): Promise<Resource<K>>;
  patch<K extends KindName>(kind: K, name: string, patch: MergePatch, options?: PatchOptions): Promise<Resource<K>>;
  /** Marks for deletion; the object goes when its last finalizer does. No error when it is already gone. */
  delete(kind: KindName, name: string, options?: DeleteOptions): Promise<void>;
  /** Events after `resourceVersion`, until the signal aborts or the server ends the stream (both end the iteration). */
  watch<K extends KindName>(kind: K, options: WatchOptions): AsyncIterable<WatchEvent<K>>;
}

/** What a caller gives to create: defaults may be left out, identity is the server's. */
export type CreateInput<K extends KindName> = K extends KindName
  ? { readonly metadata: { readonly name: string } & Record<string, unknown> } & Record<string, unknown>
  : never;
