/** The little that namespaces mean here: two are always there, others must be made first and be empty to go. */
import { AppError } from '../../domain/errors.ts';
import type { StoreTransaction } from '../../ports/object-store.ts';
import { resourceOf } from '../../schemas/kind-names.ts';
import { KINDS, type KindDefinition, SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { nameObject } from './kube-object.ts';

/** Namespaces that need not be created and cannot be deleted. */
export const BUILT_IN_NAMESPACES: readonly string[] = [SYSTEM_NAMESPACE, 'default'];

/** @throws {AppError} notFound, when the namespace of a new object was not created */
export function assertNamespaceExists(transaction: StoreTransaction, definition: KindDefinition, name: string): void {
  if (definition.scope === 'Cluster' || BUILT_IN_NAMESPACES.includes(name)) return;
  if (transaction.get({ resource: resourceOf(KINDS.Namespace), namespace: '', name }) !== undefined) return;
  throw new AppError('notFound', `namespaces ${JSON.stringify(name)} not found`, {
    reason: 'NotFound',
    hint: 'create it first: kubectl apply an object of kind Namespace with that name',
  });
}

/** Refuses to delete a namespace that is built in or in use. Any other object may go. @throws {AppError} denied, conflict */
export function assertNamespaceRemovable(
  transaction: StoreTransaction,
  definition: KindDefinition,
  name: string,
): void {
  if (definition.kind !== 'Namespace') return;
  if (BUILT_IN_NAMESPACES.includes(name)) {
    throw new AppError('denied', `${nameObject(definition, name)} is built in and cannot be deleted`, {
      reason: 'Forbidden',
    });
  }
  const kinds: readonly KindDefinition[] = Object.values(KINDS);
  const used = kinds
    .filter((kind) => kind.scope === 'Namespaced')
    .find((kind) => transaction.list({ resource: resourceOf(kind), namespace: name, limit: 1 }).length > 0);
  if (used === undefined) return;
  throw new AppError('conflict', `${nameObject(definition, name)} still holds ${used.plural}`, {
    reason: 'Conflict',
    hint: `delete them first: kubectl -n ${name} delete ${used.plural} --all`,
  });
}
