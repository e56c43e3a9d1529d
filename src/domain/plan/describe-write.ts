/** What an update changes, field by field, for people who look before they apply. */

export interface FieldChange {
  /** spec.zone */
  readonly field: string;
  /** undefined where there was nothing. */
  readonly from: unknown;
  /** undefined where nothing will be. */
  readonly to: unknown;
}

/**
 * The fields that a merge patch (RFC 7396) changes.
 *
 * @param stored - the object as it is
 * @param patch - null removes a field; lists are replaced whole
 */
export function fieldChanges(stored: unknown, patch: unknown, path = ''): readonly FieldChange[] {
  if (isObject(patch)) {
    return Object.entries(patch).flatMap(([name, value]) => {
      const had = isObject(stored) ? stored[name] : undefined;
      return fieldChanges(had, value, path === '' ? name : `${path}.${name}`);
    });
  }
  const to = patch ?? undefined;
  return isSame(stored, to) ? [] : [{ field: path, from: stored, to }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists and values in the order in which both sides write them. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.every((key) => isSame(a[key], b[key]));
}
