/** What lint has to say of manifests, and how it is put right. */

/** Keys and positions from the top of a document. */
export type ManifestPath = readonly (string | number)[];

/** A change of one document. */
export type Edit =
  | { readonly path: ManifestPath; readonly set: unknown }
  /** What held nothing else goes too. */
  | { readonly path: ManifestPath; readonly remove: true };

export interface Finding {
  /** Stable word for programs. */
  readonly rule: string;
  /** error: the manifest is refused, or cannot do what it is for. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** What to do. */
  readonly fix: string;
  /** In the file, from 1. */
  readonly line: number;
  /** From 1; left out where the line had to be rearranged to be read. */
  readonly column?: number;
  /** `kind name` of the object, where it can be told. */
  readonly object?: string;
  /** The corrected manifest has it right. */
  readonly isFixed: boolean;
}

/** One object of a file. */
export interface ManifestObject {
  /** Position of its document in the file. */
  readonly document: number;
  /** Where it stands there: the top, or an item of a List. */
  readonly at: ManifestPath;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly value: unknown;
}

/** What a rule finds: the place is told as a path. */
export interface RuleFinding extends Pick<Finding, 'rule' | 'severity' | 'message' | 'fix'> {
  readonly object: ManifestObject;
  /** From the top of the object. */
  readonly path: ManifestPath;
  /** Puts it right; left out where only a person can. Paths from the top of the object. */
  readonly edits?: readonly Edit[];
}

/** A rule sees all objects of a call, since they speak of each other. */
export type Rule = (objects: readonly ManifestObject[]) => readonly RuleFinding[];

/** The value at a path, undefined where there is none. */
export function valueAt(value: unknown, path: ManifestPath): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Object.hasOwn(found, part) ? (found as Readonly<Record<string | number, unknown>>)[part] : undefined;
  }
  return found;
}

/** The text at a path; undefined where there is none or something else. */
export function textAt(value: unknown, path: ManifestPath): string | undefined {
  const found = valueAt(value, path);
  return typeof found === 'string' ? found : undefined;
}

/** The items of the list at a path; none where there is no list. */
export function listAt(value: unknown, path: ManifestPath): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}

/** The texts by name at a path, such as labels; what is no text is left out. */
export function textsAt(value: unknown, path: ManifestPath): Readonly<Record<string, string>> {
  const found = valueAt(value, path);
  if (typeof found !== 'object' || found === null) return {};
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** A path as people write it: spec.containers[0].name. */
export function describePath(path: ManifestPath): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`)).join('');
}
