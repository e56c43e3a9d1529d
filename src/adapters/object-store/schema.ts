/** Tables of the SQLite object store, and the checks that a file is one of ours before anything is written to it. */
import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../domain/errors.ts';

/** "HOLD" in SQLite's application_id marks a file as Holdfast's. */
const APPLICATION_ID = 0x484f4c44;
const SCHEMA_VERSION = 1;

/** Paths with an index, so that `spec.node=kube1` does not read every copy of every node. */
export const INDEXED_PATHS = ['spec.node', 'spec.volume', 'involvedObject.name'] as const;

/** The SQL expression of an indexed path; must be written the same way in the index and in the query to be used. */
export function pathExpression(path: (typeof INDEXED_PATHS)[number]): string {
  return `json_extract(value, '$.${path}')`;
}

const TABLES = `
  CREATE TABLE objects (
    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    revision INTEGER NOT NULL, value TEXT NOT NULL,
    UNIQUE (resource, namespace, name)
  );
  CREATE TABLE changes (
    revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    is_deletion INTEGER NOT NULL, value TEXT NOT NULL, previous TEXT
  );
  CREATE INDEX changes_of_resource ON changes (resource, revision);
  CREATE TABLE floors (resource TEXT PRIMARY KEY, revision INTEGER NOT NULL);
  CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
  INSERT INTO counter VALUES (1, 0);
`;

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/**
 * Looks whose file it is, without writing to it.
 *
 * @returns true for a new, empty file
 * @throws {AppError} precondition, when the file belongs to another program or to a newer Holdfast
 */
export function checkOwner(db: DatabaseSync, path: string): boolean {
  const applicationId = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  if (applicationId === APPLICATION_ID && version === SCHEMA_VERSION) return false;
  if (applicationId === APPLICATION_ID) {
    throw new AppError(
      'precondition',
      `state file ${path} has format ${version}; this program reads ${SCHEMA_VERSION}`,
      { reason: 'StateFormat', hint: 'start the version of Holdfast that wrote it' },
    );
  }
  if (applicationId === 0 && pragma(db, 'schema_version') === 0) return true;
  throw new AppError('precondition', `${path} is a database of another program; nothing was changed`, {
    reason: 'ForeignStateFile',
    hint: 'name another file for the state',
  });
}

/** Makes the tables in a new file, all or none of them. */
export function createTables(db: DatabaseSync): void {
  const indexes = INDEXED_PATHS.map(
    (path, index) =>
      `CREATE INDEX objects_by_path_${index} ON objects (resource, ${pathExpression(path)})
         WHERE ${pathExpression(path)} IS NOT NULL;`,
  );
  db.exec(
    `BEGIN IMMEDIATE; ${TABLES} ${indexes.join('\n')}
     PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`,
  );
}
