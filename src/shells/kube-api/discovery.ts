/** What the server tells of the groups and kinds it has, in the old form and in the aggregated one. */
import { apiVersionOf } from '../../schemas/kind-names.ts';
import { EMBEDDED_KINDS, type KindDefinition } from '../../schemas/kinds.ts';
import { isOwnKind } from '../../usecases/resources/kube-object.ts';

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const STATUS_VERBS = ['get', 'patch', 'update'];
const DEFINITIONS = EMBEDDED_KINDS.map(([, definition]) => definition);

/** Every group but the core one, with its version. */
const GROUPS: readonly { readonly group: string; readonly version: string }[] = [
  ...new Map(DEFINITIONS.filter(({ group }) => group !== '').map(({ group, version }) => [group, version])),
].map(([group, version]) => ({ group, version }));

/** GET /api. */
export function coreVersions(): object {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

/** GET /apis. */
export function groupList(): object {
  const groups = GROUPS.map(({ group, version }) => groupEntry(group, version));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** GET /apis/GROUP; undefined when there is no such group. */
export function oneGroup(group: string): object | undefined {
  const known = GROUPS.find((entry) => entry.group === group);
  return known && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(known.group, known.version) };
}

/** GET /api/v1 and /apis/GROUP/VERSION; undefined when there is no such version. */
export function resourceList(group: string, version: string): object | undefined {
  const definitions = DEFINITIONS.filter((entry) => entry.group === group && entry.version === version);
  if (definitions.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: definitions.flatMap(resourceEntries),
  };
}

/** GET /api or /apis in the aggregated form (apidiscovery.k8s.io/v2): one answer instead of one per group. */
export function aggregatedDiscovery(root: 'api' | 'apis'): object {
  const groups = root === 'api' ? [{ group: '', version: 'v1' }] : GROUPS;
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, version }) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: [
        {
          version,
          freshness: 'Current',
          resources: DEFINITIONS.filter((entry) => entry.group === group).map(aggregatedEntry),
        },
      ],
    })),
  };
}

function groupEntry(group: string, version: string): object {
  const entry = { groupVersion: `${group}/${version}`, version };
  return { name: group, versions: [entry], preferredVersion: entry };
}

/** `kubectl get holdfast` lists everything of Holdfast's own. */
function categories(definition: KindDefinition): object {
  return isOwnKind(definition) ? { categories: ['holdfast'] } : {};
}

function resourceEntries(definition: KindDefinition): object[] {
  const { plural, singular, kind, scope, shortNames, hasStatus } = definition;
  const namespaced = scope === 'Namespaced';
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: VERBS,
    shortNames,
    ...categories(definition),
  };
  const status = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: STATUS_VERBS };
  return hasStatus ? [main, status] : [main];
}

function aggregatedEntry(definition: KindDefinition): object {
  const { plural, singular, kind, group, version, scope, shortNames, hasStatus } = definition;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: VERBS,
    shortNames,
    ...categories(definition),
    ...(hasStatus ? { subresources: [{ subresource: 'status', responseKind, verbs: STATUS_VERBS }] } : {}),
  };
}
