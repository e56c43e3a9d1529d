/** One object by the name that a person or a call has given. */
import { AppError } from '../../domain/errors.ts';
import { labelFault } from '../../domain/names.ts';
import { nearest } from '../../domain/nearest.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

/** Kinds that are asked for by name. */
export type NamedKind = 'Volume' | 'VolumeSnapshotRecord' | 'VolumeGroupSnapshotRecord';

interface FindDeps {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}

export interface Naming {
  /** As people call it: "volume". */
  readonly what: string;
  readonly reason: string;
  /** The command that shows all of them. */
  readonly seeAll: string;
}

/**
 * Only what is an RFC 1123 label becomes part of a request; all of the kind are read only to tell a near miss.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function findNamed<K extends NamedKind>(
  { client, signal }: FindDeps,
  { kind, name }: { readonly kind: K; readonly name: string },
  naming: Naming,
): Promise<Resource<K>> {
  const scope = signal === undefined ? {} : { signal };
  const found = labelFault(name) === undefined ? await client.get(kind, name, scope) : undefined;
  if (found !== undefined) return found;
  const { items } = await client.list(kind, scope);
  const listed = items.find(({ metadata }) => metadata.name === name);
  if (listed !== undefined) return listed;
  throw notAmong(
    items.map(({ metadata }) => metadata.name),
    name,
    naming,
  );
}

/** The failure of whoever gave a name that is none of these, with the nearest of them. */
export function notAmong(names: readonly string[], name: string, { what, reason, seeAll }: Naming): AppError {
  const shown = name.length > 63 ? `${name.slice(0, 40)}...` : name;
  const meant = nearest(shown, names);
  return new AppError('notFound', `there is no ${what} ${JSON.stringify(shown)}`, {
    reason,
    hint: meant === undefined ? `see: ${seeAll}` : `did you mean ${meant}?`,
  });
}
