/**
 * The object store on SQLite: a write is acknowledged only after it was synced to disk, and writes that arrive together
 * share one sync (group commit). One process owns the file at a time.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { ObjectStore, StoredChange, StoreTransaction } from '../../ports/object-store.ts';
import { createChangeLog } from './change-log.ts';
import { commitBatch, type Pending } from './commit-batch.ts';
import { checkOwner, createTables } from './schema.ts';
import { prepareStatements } from './statements.ts';

export interface SqliteStoreOptions {
  /** Path of the state file, made with mode 0600 if missing; ":memory:" keeps everything in memory. */
  readonly path: string;
  /** Changes kept for watches, per resource. Default 5,000. */
  readonly changeWindow?: number;
}

/** Bodies that share one sync at most; bounds how long a batch keeps the event loop. */
const MAX_BATCH = 256;

/**
 * Opens (or makes) the store. In memory each transaction runs at once, without a turn of the event loop, so that a
 * simulation stays deterministic.
 *
 * @throws {AppError} precondition, when the file is in use by another process, or is not a state file of ours
 */
export function openSqliteStore(options: SqliteStoreOptions): ObjectStore {
  const { path, changeWindow = 5_000 } = options;
  const db = openDatabase(path);
  const statements = prepareStatements(db);
  const log = createChangeLog(statements, changeWindow);
  const listeners = new Set<(changes: readonly StoredChange[]) => void>();
  let queue: Pending[] = [];
  let isScheduled = false;
  let isClosed = false;

  const flush = () => {
    isScheduled = false;
    const batch = queue.slice(0, MAX_BATCH);
    queue = queue.slice(MAX_BATCH);
    if (batch.length > 0) commitBatch({ db, statements, log, listeners }, batch);
    if (queue.length > 0) schedule();
  };
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  };
  const assertOpen = () => {
    if (isClosed) throw new AppError('unavailable', 'the object store is closed', { reason: 'StoreClosed' });
  };

  return {
    revision: () => log.revision(),
    get: (key) => (assertOpen(), statements.get(key)),
    list: (query) => (assertOpen(), statements.list(query)),
    changesSince: (resource, revision, limit) => (assertOpen(), log.since(resource, revision, limit)),
    transact<T>(body: (transaction: StoreTransaction) => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        assertOpen();
        let result: T;
        const run = (transaction: StoreTransaction) => {
          result = body(transaction);
        };
        queue.push({ run, resolve: () => resolve(result), reject });
        if (path === ':memory:') flush();
        else schedule();
      });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      if (isClosed) return;
      while (queue.length > 0) flush();
      isClosed = true;
      db.close();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  // SQLite would make the file with the umask's mode; it holds the state of the whole cluster.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // Exclusive before anything else: no second process can write, and a killed one leaves no lock behind
    // (https://sqlite.org/wal.html#noshm). The owner is checked before WAL, which would write to the file.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const isNew = checkOwner(db, path);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; ROLLBACK;');
    if (isNew) createTables(db);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof AppError) throw error;
    throw openingError(path, error);
  }
}

function openingError(path: string, error: unknown): AppError {
  const text = messageOf(error);
  if (/locked|busy/i.test(text)) {
    return new AppError('precondition', `state file ${path} is in use by another process`, {
      reason: 'StateInUse',
      hint: 'stop the other controller first; only one may own the state',
      cause: error,
    });
  }
  if (/not a database|malformed/i.test(text)) {
    return new AppError(
      'precondition',
      `state file ${path} is damaged or no SQLite file (${text}); nothing was changed`,
      {
        reason: 'StateDamaged',
        hint: 'restore it from a backup, or move it away to start with empty state',
        cause: error,
      },
    );
  }
  return new AppError('unavailable', `state file ${path} cannot be opened: ${text}`, { cause: error });
}
