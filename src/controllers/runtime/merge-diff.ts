/** The smallest RFC 7396 merge patch from one value to another. */
import type { MergePatch } from '../../ports/resource-client.ts';

/**
 * The patch that makes `before` into `after`, or undefined when they are the same. A key that is missing or undefined
 * in `after` is removed; lists are replaced whole.
 */
export function mergeDiff(before: object, after: object): MergePatch | undefined {
  const patch: Record<string, unknown> = {};
  const old = before as Readonly<Record<string, unknown>>;
  const wanted = after as Readonly<Record<string, unknown>>;
  for (const key of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    const from = old[key];
    const to = wanted[key];
    if (to === undefined || to === null) {
      if (from !== undefined && from !== null) patch[key] = null;
    } else if (isPlainObject(from) && isPlainObject(to)) {
      const inner = mergeDiff(from, to);
      if (inner !== undefined) patch[key] = inner;
    } else if (!isDeepEqual(from, to)) {
      patch[key] = to;
    }
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

/** Equality of JSON values: the order of keys does not count, and a key that is undefined is not there. */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => isDeepEqual(item, b[at]));
  }
  if (!isPlainObject(a) || !isPlainObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isDeepEqual(a[key], b[key]));
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
