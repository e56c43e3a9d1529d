/** The bounded log of changes, and with it the revision counter. */
import { AppError } from '../../domain/errors.ts';
import type { ObjectKey, StoredChange } from '../../ports/object-store.ts';
import type { Statements } from './statements.ts';

/** Writes inside the open transaction; what it holds in memory follows with `commit` or `rollback`. */
export interface ChangeLog {
  revision(): number;
  since(resource: string, revision: number, limit: number): readonly StoredChange[];
  /** Writes one change; the revision counts only after `commit`. */
  write(
    key: ObjectKey,
    type: StoredChange['type'],
    render: (revision: number) => string,
    before?: string,
  ): StoredChange;
  commit(): void;
  rollback(): void;
}

/** @param window - changes kept per resource, so that frequent heartbeats do not push out the history of volumes */
export function createChangeLog(statements: Statements, window: number): ChangeLog {
  let committed = statements.readRevision();
  let next = committed;
  let counts = new Map(statements.countChanges());
  let floors = new Map(statements.floors());

  const trim = (resource: string) => {
    const count = (counts.get(resource) ?? 0) + 1;
    counts.set(resource, count);
    // Some slack, so that trimming happens once in a while and not on each write.
    if (count <= window + Math.ceil(window / 4)) return;
    const floor = statements.trim(resource, window);
    if (floor !== undefined) floors.set(resource, floor);
    counts.set(resource, window);
  };
  return {
    revision: () => committed,
    since(resource, revision, limit) {
      if (revision < (floors.get(resource) ?? 0) || revision > committed) {
        throw new AppError('conflict', `too old resource version: ${revision} (${committed} is the newest)`, {
          reason: 'Expired',
          hint: 'list again and watch from the resourceVersion of that list',
        });
      }
      return statements.changesSince(resource, revision, limit);
    },
    write(key, type, render, before) {
      const revision = next + 1;
      const change: StoredChange = { ...key, revision, type, text: render(revision), previousText: before };
      statements.logChange(change);
      next = revision;
      trim(key.resource);
      return change;
    },
    commit() {
      committed = next;
    },
    rollback() {
      next = committed;
      counts = new Map(statements.countChanges());
      floors = new Map(statements.floors());
    },
  };
}
