/** JSON merge patch, RFC 7396. */
import { isRecord, type JsonRecord } from './kube-object.ts';
import { ownValue, setKey } from './set-key.ts';

/** Returns `target` with `patch` laid over it: null removes a key, lists are replaced whole. Changes neither. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const merged: JsonRecord = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setKey(merged, key, applyMergePatch(ownValue(merged, key), value));
  }
  return merged;
}
