/** The reading half of the API: get and list. */
import { AppError } from '../../domain/errors.ts';
import type { ObjectQuery, ObjectStore, StoredObject } from '../../ports/object-store.ts';
import { resourceOf } from '../../schemas/kind-names.ts';
import type { KindDefinition, KindName } from '../../schemas/kinds.ts';
import { definitionOf, type KubeObject, nameObject } from './kube-object.ts';
import { keyOf, type ResourceScope } from './object-key.ts';
import { type ContinueToken, decodeContinue, encodeContinue } from './paging.ts';
import { parseSelectors, type Selector } from './selectors.ts';

export interface ListOptions {
  /** Only this namespace; all when left out. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Objects per page; all when left out or 0. */
  readonly limit?: number | undefined;
  /** From the page before. */
  readonly continue?: string | undefined;
}

/** An object of a list: its text as stored, parsed when someone wants to look inside. */
export interface ListItem {
  readonly text: string;
  /** Parses the text anew: each caller may keep and change what it gets. */
  read(): KubeObject;
}

export interface ListPage {
  readonly items: readonly ListItem[];
  /** Where a watch goes on from; that of the first page on all pages. */
  readonly resourceVersion: string;
  /** There is another page. */
  readonly continue?: string;
}

/** Objects read from the store at once while filling a page that a selector thins out. */
const CHUNK = 1_000;

/** @throws {AppError} notFound */
export function getObject(store: ObjectStore, kind: KindName, name: string, scope: ResourceScope): ListItem {
  const definition = definitionOf(kind);
  const stored = store.get(keyOf(definition, name, scope));
  if (stored !== undefined) return toItem(stored);
  throw new AppError('notFound', `${nameObject(definition, name)} not found`, {
    reason: 'NotFound',
    resource: nameObject(definition, name),
  });
}

/**
 * Lists the objects of a kind, in the order of namespace and name. Pages show the newest state each; a watch from the
 * resourceVersion makes up for what changed between them.
 *
 * @throws {AppError} invalid, for faulty selectors or tokens; conflict with reason Expired, for a token from too long ago
 */
export function listObjects(store: ObjectStore, kind: KindName, options: ListOptions): ListPage {
  const definition = definitionOf(kind);
  const selector = parseSelectors(options.labelSelector, options.fieldSelector);
  const token =
    options.continue === undefined || options.continue === '' ? undefined : decodeContinue(options.continue);
  const revision = token?.revision ?? store.revision();
  // Throws when the log no longer reaches back to the first page, and a watch from it would miss something.
  if (token !== undefined) store.changesSince(resourceOf(definition), token.revision, 1);
  const limit = options.limit === undefined || options.limit <= 0 ? Number.POSITIVE_INFINITY : options.limit;
  const { chosen, next } = select(store, { definition, selector, options, token, limit });
  return {
    items: chosen.map(toItem),
    resourceVersion: String(revision),
    ...(next === undefined
      ? {}
      : { continue: encodeContinue({ revision, namespace: next.namespace, name: next.name }) }),
  };
}

interface Selection {
  readonly definition: KindDefinition;
  readonly selector: Selector;
  readonly options: ListOptions;
  readonly token: ContinueToken | undefined;
  readonly limit: number;
}

/** Reads until one more than the page holds, which tells whether there is a next page. */
function select(store: ObjectStore, selection: Selection): { chosen: StoredObject[]; next: StoredObject | undefined } {
  const { selector, limit } = selection;
  const matches = (stored: StoredObject) => selector.isEmpty || selector.matches(JSON.parse(stored.text) as KubeObject);
  const single = singleName(store, selection);
  if (single !== undefined) return { chosen: single.filter(matches), next: undefined };

  const chosen: StoredObject[] = [];
  const wanted = limit + 1;
  let after: ObjectQuery['after'] = selection.token;
  const chunk = selector.isEmpty ? wanted : Math.max(wanted, CHUNK);
  for (;;) {
    const rows = store.list(queryOf(selection, after, chunk));
    for (const row of rows) {
      if (matches(row)) chosen.push(row);
      if (chosen.length === wanted) return { chosen: chosen.slice(0, limit), next: chosen[limit - 1] };
    }
    if (rows.length < chunk) return { chosen, next: undefined };
    after = rows.at(-1);
  }
}

function queryOf(selection: Selection, after: ObjectQuery['after'], chunk: number): ObjectQuery {
  const { definition, selector, options } = selection;
  // An empty value also matches a missing field, which the store's index does not hold.
  const hint = [...selector.equals].find(([path, value]) => value !== '' && !path.startsWith('metadata.'));
  return {
    resource: resourceOf(definition),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(after === undefined ? {} : { after: { namespace: after.namespace, name: after.name } }),
    ...(Number.isFinite(chunk) ? { limit: chunk } : {}),
    ...(hint === undefined ? {} : { where: { path: hint[0], value: hint[1] } }),
  };
}

/** A list by metadata.name, as kubectl get NAME -w and kubectl wait ask for it, needs no search. */
function singleName(store: ObjectStore, selection: Selection): StoredObject[] | undefined {
  const { definition, selector, options } = selection;
  const name = selector.equals.get('metadata.name');
  const namespace = options.namespace ?? selector.equals.get('metadata.namespace');
  if (name === undefined || selection.token !== undefined) return undefined;
  if (definition.scope === 'Namespaced' && namespace === undefined) return undefined;
  const stored = store.get(keyOf(definition, name, { namespace }));
  return stored === undefined ? [] : [stored];
}

function toItem(stored: StoredObject): ListItem {
  const { text } = stored;
  return { text, read: () => JSON.parse(text) as KubeObject };
}
