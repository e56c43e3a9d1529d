/** From kind, name and namespace to the key in the store. */
import type { ObjectKey } from '../../ports/object-store.ts';
import { resourceOf } from '../../schemas/kind-names.ts';
import { type KindDefinition, SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';

export interface ResourceScope {
  /** For namespaced kinds; default holdfast-system. */
  readonly namespace?: string | undefined;
}

/** The key of one object; the namespace counts for namespaced kinds only. */
export function keyOf(definition: KindDefinition, name: string, scope: ResourceScope): ObjectKey {
  const namespace = definition.scope === 'Namespaced' ? (scope.namespace ?? SYSTEM_NAMESPACE) : '';
  return { resource: resourceOf(definition), namespace, name };
}
