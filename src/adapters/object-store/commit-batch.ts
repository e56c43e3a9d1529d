/** Group commit: several transactions' bodies, one transaction of SQLite, one sync to disk. */
import type { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { ObjectKey, StoredChange, StoreTransaction } from '../../ports/object-store.ts';
import type { ChangeLog } from './change-log.ts';
import type { Statements } from './statements.ts';

/** One body that waits for its turn. */
export interface Pending {
  readonly run: (transaction: StoreTransaction) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchContext {
  readonly db: DatabaseSync;
  readonly statements: Statements;
  readonly log: ChangeLog;
  readonly listeners: ReadonlySet<(changes: readonly StoredChange[]) => void>;
}

/** Runs the bodies in order and commits; a body that throws is rejected alone, a failing disk rejects them all. */
export function commitBatch(context: BatchContext, batch: readonly Pending[]): void {
  const { db, statements, log, listeners } = context;
  const settled: (() => void)[] = [];
  const changes: StoredChange[] = [];
  try {
    db.exec('BEGIN IMMEDIATE');
    for (const pending of batch) {
      const writes: BufferedWrite[] = [];
      try {
        pending.run(bufferWrites(statements, writes));
      } catch (error) {
        settled.push(() => pending.reject(error));
        continue;
      }
      for (const write of writes) changes.push(applyWrite(statements, log, write));
      settled.push(pending.resolve);
    }
    if (changes.length > 0) statements.writeRevision(changes.at(-1)?.revision ?? 0);
    db.exec('COMMIT');
    log.commit();
  } catch (error) {
    failBatch(context, batch, error);
    return;
  }
  if (changes.length > 0) for (const listener of listeners) listener(changes);
  for (const settle of settled) settle();
}

function failBatch(context: BatchContext, batch: readonly Pending[], cause: unknown): void {
  // After some errors (a full disk) SQLite has rolled back by itself.
  if (context.db.isTransaction) context.db.exec('ROLLBACK');
  context.log.rollback();
  const error = new AppError('unavailable', `the state could not be written: ${messageOf(cause)}`, {
    reason: 'StoreFailed',
    hint: 'check the free space and health of the disk that holds the state file',
    cause,
  });
  for (const pending of batch) pending.reject(error);
}

interface BufferedWrite {
  readonly key: ObjectKey;
  readonly type: StoredChange['type'];
  readonly render: (revision: number) => string;
  readonly before?: string;
}

function bufferWrites(statements: Statements, writes: BufferedWrite[]): StoreTransaction {
  const expect = (key: ObjectKey, expectedRevision: number) => {
    const current = statements.get(key);
    const revision = current?.revision ?? 0;
    if (revision !== expectedRevision) {
      throw new AppError(
        'conflict',
        `${key.resource} "${key.name}" is at revision ${revision}, not ${expectedRevision}`,
      );
    }
    return current;
  };
  return {
    get: statements.get,
    list: statements.list,
    put(key, expectedRevision, render) {
      const before = expect(key, expectedRevision);
      if (before === undefined) writes.push({ key, type: 'created', render });
      else writes.push({ key, type: 'updated', render, before: before.text });
    },
    remove(key, expectedRevision, render) {
      const before = expect(key, expectedRevision);
      if (before !== undefined) writes.push({ key, type: 'deleted', render, before: before.text });
    },
  };
}

function applyWrite(statements: Statements, log: ChangeLog, write: BufferedWrite): StoredChange {
  const change = log.write(write.key, write.type, write.render, write.before);
  if (change.type === 'created') statements.insert(write.key, change.revision, change.text);
  else if (change.type === 'updated') statements.update(write.key, change.revision, change.text);
  else statements.remove(write.key);
  return change;
}
