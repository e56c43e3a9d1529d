/**
 * Strategic merge patch for the kinds of Kubernetes itself, as kubectl apply and edit send it for them.
 *
 * Covered: merging of objects; lists of objects merged by the keys below, lists of plain values merged as sets where
 * Kubernetes does; the directives $patch (replace, delete, merge), $setElementOrder, $deleteFromPrimitiveList and
 * $retainKeys. Every other list is replaced whole, which is also what Kubernetes does for the lists of these kinds.
 */
import { AppError } from '../../domain/errors.ts';
import { isRecord, type JsonRecord } from './kube-object.ts';
import { ownValue, setKey } from './set-key.ts';

/** Lists that merge, by their path: the key of their objects, or 'set' for plain values (patchMergeKey in k8s.io/api). */
const MERGED_LISTS: Readonly<Record<string, string>> = {
  'metadata.finalizers': 'set',
  'metadata.ownerReferences': 'uid',
  'spec.ports': 'port',
  'status.conditions': 'type',
};
const ORDER = '$setElementOrder/';
const DELETIONS = '$deleteFromPrimitiveList/';

/** Returns `target` with `patch` merged in. Changes neither. @throws {AppError} invalid, for a malformed directive */
export function applyStrategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) throw malformed('', 'the patch is not an object');
  return mergeRecords(isRecord(target) ? target : {}, patch, '');
}

function malformed(path: string, message: string): AppError {
  return new AppError('invalid', `malformed strategic merge patch at ${path || 'its top'}: ${message}`, {
    reason: 'BadRequest',
  });
}

function mergeRecords(target: JsonRecord, patch: JsonRecord, path: string): JsonRecord {
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return {};
  const merged: JsonRecord = { ...target };
  retainKeys(merged, patch, path);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    const at = path === '' ? key : `${path}.${key}`;
    const before = ownValue(merged, key);
    if (value === null) delete merged[key];
    else if (Array.isArray(value)) setKey(merged, key, mergeLists(before, value, at));
    else if (isRecord(value)) setKey(merged, key, mergeRecords(isRecord(before) ? before : {}, value, at));
    else setKey(merged, key, value);
  }
  applyListDirectives(merged, patch, path);
  return merged;
}

function withoutDirectives(patch: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')));
}

function retainKeys(merged: JsonRecord, patch: JsonRecord, path: string): void {
  const kept = patch['$retainKeys'];
  if (kept === undefined) return;
  if (!Array.isArray(kept)) throw malformed(path, '$retainKeys is not a list');
  for (const key of Object.keys(merged)) if (!kept.includes(key)) delete merged[key];
}

function mergeLists(before: unknown, patch: readonly unknown[], path: string): unknown[] {
  const mergeKey = MERGED_LISTS[path];
  if (mergeKey === undefined || !Array.isArray(before))
    return patch.filter((item) => !isDirective(item)).map(plainItem);
  if (mergeKey === 'set') return [...new Set([...before, ...patch])];
  if (patch.some((item) => isRecord(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !isDirective(item)).map(plainItem);
  }
  const merged: unknown[] = [...before];
  for (const item of patch) mergeItem(merged, item, { mergeKey, path });
  return merged;
}

function mergeItem(merged: unknown[], item: unknown, list: { mergeKey: string; path: string }): void {
  const { mergeKey, path } = list;
  if (!isRecord(item) || item[mergeKey] === undefined) throw malformed(path, `an item has no ${mergeKey}`);
  const index = merged.findIndex((other) => isRecord(other) && other[mergeKey] === item[mergeKey]);
  if (item['$patch'] === 'delete') {
    if (index >= 0) merged.splice(index, 1);
    return;
  }
  if (index < 0) merged.push(plainItem(item));
  else merged[index] = mergeRecords(merged[index] as JsonRecord, item, `${path}[]`);
}

/** An item that only gives an order, such as {"$patch": "replace"}. */
function isDirective(item: unknown): boolean {
  return (
    isRecord(item) && item['$patch'] !== undefined && (item['$patch'] === 'delete' || Object.keys(item).length === 1)
  );
}

function plainItem(item: unknown): unknown {
  return isRecord(item) ? withoutDirectives(item) : item;
}

function applyListDirectives(merged: JsonRecord, patch: JsonRecord, path: string): void {
  for (const [directive, value] of Object.entries(patch)) {
    if (directive.startsWith(DELETIONS)) {
      const list = ownValue(merged, directive.slice(DELETIONS.length));
      if (!Array.isArray(value)) throw malformed(path, `${directive} is not a list`);
      if (Array.isArray(list)) {
        setKey(
          merged,
          directive.slice(DELETIONS.length),
          list.filter((item) => !value.includes(item)),
        );
      }
    } else if (directive.startsWith(ORDER)) {
      orderList(merged, directive.slice(ORDER.length), { order: value, path });
    }
  }
}

/** Puts the items that the order names in that order; the others keep theirs, behind them. */
function orderList(merged: JsonRecord, key: string, by: { order: unknown; path: string }): void {
  const list = ownValue(merged, key);
  const { order, path } = by;
  const mergeKey = MERGED_LISTS[path === '' ? key : `${path}.${key}`];
  if (!Array.isArray(order)) throw malformed(path, `${ORDER}${key} is not a list`);
  if (!Array.isArray(list) || mergeKey === undefined) return;
  const identity = (item: unknown) => (isRecord(item) ? item[mergeKey] : item);
  const wanted = order.map(identity);
  const rank = (item: unknown) => {
    const index = wanted.indexOf(identity(item));
    return index < 0 ? wanted.length : index;
  };
  setKey(
    merged,
    key,
    list.toSorted((a, b) => rank(a) - rank(b)),
  );
}
