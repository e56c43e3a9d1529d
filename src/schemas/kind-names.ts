/** How objects, paths and messages call a kind of the Kubernetes API. */
import type { KindDefinition } from './kinds.ts';

type GroupVersion = Pick<KindDefinition, 'group' | 'version'>;

/** As objects carry it: "holdfast.dev/v1alpha1"; "v1" for the core group. */
export function apiVersionOf({ group, version }: GroupVersion): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Where the API serves a version of a group, without the first slash: "apis/holdfast.dev/v1alpha1", "api/v1". */
export function groupPath(kind: GroupVersion): string {
  return `${kind.group === '' ? 'api' : 'apis'}/${apiVersionOf(kind)}`;
}

/** Name of a kind in stores, rules and messages: "volumes.holdfast.dev", "events". */
export function resourceOf({ group, plural }: Pick<KindDefinition, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}
