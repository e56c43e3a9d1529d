/** What an informer knows: the objects of one kind by key, and indexes over them. */
import type { Resource } from '../../ports/resource-client.ts';
import type { ObjectMeta } from '../../schemas/common.ts';
import type { KindName } from '../../schemas/kinds.ts';

/** A difference between what was known and what is known now. */
export type Change<K extends KindName> =
  | { readonly type: 'added'; readonly after: Resource<K> }
  | { readonly type: 'updated'; readonly before: Resource<K>; readonly after: Resource<K> }
  | { readonly type: 'deleted'; readonly before: Resource<K> };

/** Gives the index keys of an object; none keeps it out of the index. */
export type IndexKeys<K extends KindName> = (object: Resource<K>) => readonly string[];

export interface ObjectCache<K extends KindName> {
  get(key: string): Resource<K> | undefined;
  /** The very same array until something changes, so that what is worked out of all objects can be kept with it. */
  list(): readonly Resource<K>[];
  /** Objects whose index function gave this key. @throws RangeError for an index that was not declared */
  byIndex(index: string, key: string): readonly Resource<K>[];
  /** Takes in an object as it is now; the changes are none when this very version is known. */
  put(object: Resource<K>): readonly Change<K>[];
  remove(key: string): readonly Change<K>[];
  /** Takes in a whole list: what is not in it is gone. */
  replaceAll(objects: readonly Resource<K>[]): readonly Change<K>[];
}

/** The key of an object in caches and queues: its name, with the namespace in front where it has one. */
export function objectKey(object: { readonly metadata: ObjectMeta }): string {
  const { name = '', namespace } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Creates an empty cache with these indexes. */
export function createObjectCache<K extends KindName>(
  indexes: Readonly<Record<string, IndexKeys<K>>> = {},
): ObjectCache<K> {
  const objects = new Map<string, Resource<K>>();
  const index = createIndexes(indexes);
  let listed: readonly Resource<K>[] | undefined;

  const store = (key: string, object: Resource<K>): void => {
    listed = undefined;
    objects.set(key, object);
    index.add(key, object);
  };
  const remove = (key: string): readonly Change<K>[] => {
    const before = objects.get(key);
    if (before === undefined) return [];
    listed = undefined;
    index.drop(key, before);
    objects.delete(key);
    return [{ type: 'deleted', before }];
  };
  const put = (object: Resource<K>): readonly Change<K>[] => {
    const key = objectKey(object);
    const before = objects.get(key);
    // Another uid under the same name is another object: whoever follows the first must see it go.
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) return [...remove(key), ...put(object)];
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    if (before !== undefined) index.drop(key, before);
    store(key, object);
    return before === undefined ? [{ type: 'added', after: object }] : [{ type: 'updated', before, after: object }];
  };

  return {
    get: (key) => objects.get(key),
    list: () => (listed ??= [...objects.values()]),
    byIndex: (name, value) => index.keysOf(name, value).flatMap((key) => objects.get(key) ?? []),
    put,
    remove,
    replaceAll: (now) => {
      const present = new Set(now.map(objectKey));
      const gone = [...objects.keys()].filter((key) => !present.has(key));
      return [...gone.flatMap(remove), ...now.flatMap(put)];
    },
  };
}

function createIndexes<K extends KindName>(functions: Readonly<Record<string, IndexKeys<K>>>) {
  const tables = new Map(Object.keys(functions).map((name) => [name, new Map<string, Set<string>>()]));
  const forEachEntry = (object: Resource<K>, visit: (table: Map<string, Set<string>>, value: string) => void) => {
    for (const [name, table] of tables) for (const value of functions[name]?.(object) ?? []) visit(table, value);
  };
  return {
    add: (key: string, object: Resource<K>): void =>
      forEachEntry(object, (table, value) => {
        const keys = table.get(value);
        if (keys === undefined) table.set(value, new Set([key]));
        else keys.add(key);
      }),
    drop: (key: string, object: Resource<K>): void =>
      forEachEntry(object, (table, value) => {
        const keys = table.get(value);
        keys?.delete(key);
        if (keys?.size === 0) table.delete(value);
      }),
    keysOf: (name: string, value: string): readonly string[] => {
      const table = tables.get(name);
      if (table === undefined) throw new RangeError(`no index "${name}"; declared: ${[...tables.keys()].join(', ')}`);
      return [...(table.get(value) ?? [])];
    },
  };
}
