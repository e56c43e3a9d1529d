/** The SQL of the object store: prepared once, with rows turned into the port's types. */
import type { DatabaseSync } from 'node:sqlite';
import type { ObjectKey, ObjectQuery, StoredChange, StoredObject } from '../../ports/object-store.ts';
import { INDEXED_PATHS, pathExpression } from './schema.ts';

interface ObjectRow {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly value: string;
}

interface ChangeRow extends ObjectRow {
  readonly is_deletion: number;
  readonly previous: string | null;
}

/** Everything the store asks of SQLite. */
export interface Statements {
  get(key: ObjectKey): StoredObject | undefined;
  list(query: ObjectQuery): readonly StoredObject[];
  insert(key: ObjectKey, revision: number, text: string): void;
  update(key: ObjectKey, revision: number, text: string): void;
  remove(key: ObjectKey): void;
  logChange(change: StoredChange): void;
  changesSince(resource: string, revision: number, limit: number): readonly StoredChange[];
  countChanges(): ReadonlyMap<string, number>;
  /** Highest revision whose changes were dropped, per resource. */
  floors(): ReadonlyMap<string, number>;
  /** Drops all but the newest `keep` changes of a resource; answers its new floor, if any was dropped. */
  trim(resource: string, keep: number): number | undefined;
  readRevision(): number;
  writeRevision(revision: number): void;
}

function isIndexed(path: string): path is (typeof INDEXED_PATHS)[number] {
  return (INDEXED_PATHS as readonly string[]).includes(path);
}

function prepareLists(db: DatabaseSync): Statements['list'] {
  const columns = 'SELECT namespace, name, revision, value FROM objects WHERE resource = ?';
  const inOrder = 'AND (namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?';
  const everywhere = db.prepare(`${columns} ${inOrder}`);
  const inNamespace = db.prepare(`${columns} AND namespace = ? AND name > ? ORDER BY name LIMIT ?`);
  const byPath = new Map(
    INDEXED_PATHS.map((path) => [path, db.prepare(`${columns} AND ${pathExpression(path)} = ? ${inOrder}`)]),
  );
  const read = (query: ObjectQuery): unknown[] => {
    const { resource, namespace, after, where, limit = -1 } = query;
    const start = after ?? { namespace: namespace ?? '', name: '' };
    if (where !== undefined && isIndexed(where.path)) {
      const statement = byPath.get(where.path);
      if (statement) return statement.all(resource, where.value, start.namespace, start.name, limit);
    }
    if (namespace !== undefined) return inNamespace.all(resource, namespace, start.name, limit);
    return everywhere.all(resource, start.namespace, start.name, limit);
  };
  return (query) => {
    const rows = read(query) as ObjectRow[];
    const stored = rows.map((row) => toObject(query.resource, row));
    const { namespace } = query;
    return namespace === undefined ? stored : stored.filter((object) => object.namespace === namespace);
  };
}

function toObject(resource: string, row: ObjectRow): StoredObject {
  return { resource, namespace: row.namespace, name: row.name, revision: row.revision, text: row.value };
}

function toChange(resource: string, row: ChangeRow): StoredChange {
  const changed = row.previous === null ? 'created' : 'updated';
  return {
    ...toObject(resource, row),
    type: row.is_deletion === 1 ? 'deleted' : changed,
    previousText: row.previous ?? undefined,
  };
}

/** Prepares every statement; the database must have its tables. */
export function prepareStatements(db: DatabaseSync): Statements {
  const get = db.prepare(
    'SELECT namespace, name, revision, value FROM objects WHERE resource = ? AND namespace = ? AND name = ?',
  );
  const insert = db.prepare('INSERT INTO objects (resource, namespace, name, revision, value) VALUES (?, ?, ?, ?, ?)');
  const update = db.prepare(
    'UPDATE objects SET revision = ?, value = ? WHERE resource = ? AND namespace = ? AND name = ?',
  );
  const remove = db.prepare('DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?');
  const writeRevision = db.prepare('UPDATE counter SET revision = ?');
  const readRevision = db.prepare('SELECT revision FROM counter');
  return {
    get(key) {
      const row = get.get(key.resource, key.namespace, key.name);
      return row === undefined ? undefined : toObject(key.resource, row as unknown as ObjectRow);
    },
    list: prepareLists(db),
    insert: (key, revision, text) => void insert.run(key.resource, key.namespace, key.name, revision, text),
    update: (key, revision, text) => void update.run(revision, text, key.resource, key.namespace, key.name),
    remove: (key) => void remove.run(key.resource, key.namespace, key.name),
    readRevision: () => Number(readRevision.get()?.['revision']),
    writeRevision: (revision) => void writeRevision.run(revision),
    ...prepareLog(db),
  };
}

function prepareLog(
  db: DatabaseSync,
): Pick<Statements, 'logChange' | 'changesSince' | 'countChanges' | 'floors' | 'trim'> {
  const log = db.prepare('INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?)');
  const since = db.prepare(
    `SELECT revision, namespace, name, is_deletion, value, previous FROM changes
      WHERE resource = ? AND revision > ? ORDER BY revision LIMIT ?`,
  );
  const newestDropped = db.prepare(
    'SELECT revision FROM changes WHERE resource = ? ORDER BY revision DESC LIMIT 1 OFFSET ?',
  );
  const drop = db.prepare('DELETE FROM changes WHERE resource = ? AND revision <= ?');
  const setFloor = db.prepare('INSERT OR REPLACE INTO floors VALUES (?, ?)');
  const numbers = (sql: string) =>
    new Map(
      db
        .prepare(sql)
        .all()
        .map((row) => [String(row['resource']), Number(row['number'])]),
    );
  return {
    logChange(change) {
      const { revision, resource, namespace, name, type, text, previousText = null } = change;
      log.run(revision, resource, namespace, name, type === 'deleted' ? 1 : 0, text, previousText);
    },
    changesSince: (resource, revision, limit) =>
      (since.all(resource, revision, limit) as unknown as ChangeRow[]).map((row) => toChange(resource, row)),
    countChanges: () => numbers('SELECT resource, count(*) AS number FROM changes GROUP BY resource'),
    floors: () => numbers('SELECT resource, revision AS number FROM floors'),
    trim(resource, keep) {
      const row = newestDropped.get(resource, keep);
      if (row === undefined) return undefined;
      const floor = Number(row['revision']);
      drop.run(resource, floor);
      setFloor.run(resource, floor);
      return floor;
    },
  };
}
