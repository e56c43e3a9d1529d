/** The addresses of kinds and objects in the Kubernetes API. */
import { ALL_NAMESPACES } from '../../ports/resource-client.ts';
import { groupPath } from '../../schemas/kind-names.ts';
import { KINDS, type KindDefinition, type KindName, SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';

/** Path of all objects of a kind; for namespaced ones of one namespace, by default that of Holdfast. */
export function collectionPath(kind: KindName, namespace: string = SYSTEM_NAMESPACE): string {
  const { plural, scope }: KindDefinition = KINDS[kind];
  const root = `/${groupPath(KINDS[kind])}`;
  if (scope === 'Cluster' || namespace === ALL_NAMESPACES) return `${root}/${plural}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** Path of one object. */
export function objectPath(kind: KindName, name: string, namespace?: string): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

/** A query string from what is defined, with its question mark; empty when nothing is. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given: [string, string][] = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
