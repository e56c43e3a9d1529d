/**
 * Where the embedded API server keeps its objects: rows of JSON text under one revision counter, and the log of their
 * changes that watches read. Knows nothing of kinds, schemas or HTTP.
 */

/** Address of one object. */
export interface ObjectKey {
  /** Plural and group: "volumes.holdfast.dev", "events". */
  readonly resource: string;
  /** Empty for cluster-wide objects. */
  readonly namespace: string;
  readonly name: string;
}

export interface StoredObject extends ObjectKey {
  /** Revision of the object's last write. */
  readonly revision: number;
  readonly text: string;
}

export interface StoredChange extends ObjectKey {
  readonly revision: number;
  readonly type: 'created' | 'updated' | 'deleted';
  /** State after the change; for a deletion the last state, as it was written by `remove`. */
  readonly text: string;
  /** State before it; undefined for a creation. */
  readonly previousText: string | undefined;
}

export interface ObjectQuery {
  readonly resource: string;
  /** Only this namespace; all when left out. */
  readonly namespace?: string;
  /** Begin after this object, in the order of namespace and name. */
  readonly after?: { readonly namespace: string; readonly name: string };
  /** At most this many objects. */
  readonly limit?: number;
  /** A hint: the caller keeps only objects with this text at this path. The store may return more, never fewer. */
  readonly where?: { readonly path: string; readonly value: string };
}

/** What the body of a transaction sees. Its writes show in reads once the body has returned. */
export interface StoreTransaction {
  get(key: ObjectKey): StoredObject | undefined;
  /** Objects of a query as they are now, without this body's own writes. */
  list(query: ObjectQuery): readonly StoredObject[];
  /**
   * Writes one object; `render` is given the revision that the write has.
   *
   * @param expectedRevision - revision the object has now; 0 when it must not exist
   * @throws {AppError} conflict, when the object is at another revision
   */
  put(key: ObjectKey, expectedRevision: number, render: (revision: number) => string): void;
  /** Removes one object; `render` gives its last state for the change log. @throws {AppError} conflict, like `put` */
  remove(key: ObjectKey, expectedRevision: number, render: (revision: number) => string): void;
}

export interface ObjectStore {
  /** Revision of the newest committed write; 0 when nothing was ever written. Never goes back, restarts included. */
  revision(): number;
  get(key: ObjectKey): StoredObject | undefined;
  /** In the order of namespace and name. */
  list(query: ObjectQuery): readonly StoredObject[];
  /**
   * Runs `body` (synchronous) alone, and resolves with what it returned once its writes are on disk. If it throws, none
   * of its writes happen and the promise rejects with that error. Several bodies may share one sync to disk.
   *
   * @throws {AppError} unavailable, when the disk refused the write: none of its writes happened
   */
  transact<T>(body: (transaction: StoreTransaction) => T): Promise<T>;
  /**
   * Changes of one resource after `revision`, oldest first, at most `limit`.
   *
   * @throws {AppError} conflict with reason Expired, when the log does not reach back that far (or `revision` is newer
   * than the store, as after a restore of older data)
   */
  changesSince(resource: string, revision: number, limit: number): readonly StoredChange[];
  /** Calls `listener` after each commit, before the promises of its writers resolve. It must not throw. */
  subscribe(listener: (changes: readonly StoredChange[]) => void): () => void;
  /** Writes what is queued and lets go of the file. Calls after it fail with unavailable. */
  close(): void;
}
