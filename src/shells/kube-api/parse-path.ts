/** From the path of a request to the kind, namespace and name it is about. */
import { AppError } from '../../domain/errors.ts';
import { EMBEDDED_KINDS, KINDS, type KindDefinition, type KindName } from '../../schemas/kinds.ts';

export interface Target {
  readonly kind: KindName;
  readonly namespace?: string | undefined;
  /** Undefined for the collection. */
  readonly name?: string | undefined;
  readonly subresource?: 'status' | undefined;
}

const BY_PATH = new Map<string, KindName>(
  EMBEDDED_KINDS.map(([kind, { group, version, plural }]) => [`${group}/${version}/${plural}`, kind]),
);

/** Segments of a path, decoded. @throws {AppError} invalid, for broken percent signs */
export function splitPath(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch (cause) {
    throw new AppError('invalid', 'the path has a broken percent encoding', { reason: 'BadRequest', cause });
  }
}

/** The target of a path under /api/v1 or /apis/GROUP/VERSION; undefined when there is no such resource. */
export function parseTarget(segments: readonly string[]): Target | undefined {
  const [root, ...rest] = segments;
  if (root === 'api') return parseResource('', rest[0] ?? '', rest.slice(1));
  if (root === 'apis') return parseResource(rest[0] ?? '', rest[1] ?? '', rest.slice(2));
  return undefined;
}

function parseResource(group: string, version: string, segments: readonly string[]): Target | undefined {
  // /namespaces/NAME is the namespace itself, /namespaces/NAME/PLURAL what is in it.
  const isInNamespace = segments[0] === 'namespaces' && segments.length > 2 && segments[2] !== 'status';
  const namespace = isInNamespace ? segments[1] : undefined;
  const [plural = '', name, subresource, ...more] = isInNamespace ? segments.slice(2) : segments;
  const kind = BY_PATH.get(`${group}/${version}/${plural}`);
  if (kind === undefined || more.length > 0) return undefined;
  if (!fitsScope(KINDS[kind], namespace, name) || !hasSubresource(KINDS[kind], subresource)) return undefined;
  return { kind, namespace, name, ...(subresource === undefined ? {} : { subresource: 'status' as const }) };
}

function hasSubresource(definition: KindDefinition, subresource: string | undefined): boolean {
  return subresource === undefined || (subresource === 'status' && definition.hasStatus);
}

/** Objects of namespaced kinds are addressed in their namespace; only their lists go across. */
function fitsScope(definition: KindDefinition, namespace: string | undefined, name: string | undefined): boolean {
  if (definition.scope === 'Cluster') return namespace === undefined;
  return namespace !== undefined || name === undefined;
}
