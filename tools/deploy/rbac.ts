/** What each role of Holdfast may do on a cluster, and the groups that have it. */
import { AUTHORITY_SECRET, CERTIFICATE_SECRET, POD_WEBHOOK } from '../../src/domain/locality/serving-certificate.ts';
import { KINDS, type KindName, SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { type Action, authorize, CONTROLLERS, NODES } from '../../src/shells/kube-api/authorize.ts';
import { CONTROLLER_ACCOUNT, NODE_ACCOUNT } from './accounts.ts';
import type { Json } from './crd-schema.ts';

/** Of the processes that come with CSI and turn claims into calls. */
export const SIDECARS = 'holdfast:sidecars';

/** Name of the one Secret with secrets of classes that the sidecars may read in any case. */
const CLASS_SECRET = 'holdfast-class';

type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
const READ: readonly Verb[] = ['get', 'list', 'watch'];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly Verb[];
  /** Only the objects of these names. */
  readonly resourceNames?: readonly string[];
}

const rule = (group: string, resources: readonly string[], verbs: readonly Verb[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});
/** The same by kind, one rule for all of a group. */
function on(kinds: readonly KindName[], verbs: readonly Verb[], part = ''): readonly Rule[] {
  const groups = [...new Set(kinds.map((kind) => KINDS[kind].group))];
  return groups.map((group) => {
    const plurals = kinds.filter((kind) => KINDS[kind].group === group).map((kind) => KINDS[kind].plural);
    return rule(
      group,
      plurals.map((plural) => `${plural}${part}`),
      verbs,
    );
  });
}

/** Of these names; for a list or a watch the API server wants the name as a field selector. */
function only(names: readonly string[], rules: readonly Rule[]): readonly Rule[] {
  return rules.map((each) => ({ ...each, resourceNames: names }));
}

const KIND_NAMES = Object.keys(KINDS) as KindName[];
const VERBS: readonly Verb[] = [...READ, 'create', 'update', 'patch', 'delete'];
const OWN = KIND_NAMES.filter((kind) => KINDS[kind].group === GROUP);

interface Role {
  readonly name: string;
  /** Of processes outside of the cluster. */
  readonly group: string;
  /** Of pods. */
  readonly account: string;
  readonly everywhere: readonly Rule[];
  /** In the namespace of Holdfast. */
  readonly here: readonly Rule[];
}

const CONTROLLER: Role = {
  name: 'holdfast-controller',
  group: CONTROLLERS,
  account: CONTROLLER_ACCOUNT,
  everywhere: [
    ...on(OWN, VERBS),
    ...on(OWN, ['patch'], '/status'),
    // To recycle those that were added by hand.
    ...on(['PersistentVolume'], [...READ, 'patch']),
    ...on(['Node'], ['list', 'watch']),
    // To tell why a claim waits, and which scheduler a pod of it is to have.
    ...on(['PersistentVolumeClaim'], READ),
    ...on(['Pod', 'StorageClass'], ['list', 'watch']),
    ...on(['Event'], ['create', 'patch']),
    // To have the API server trust the certificate that is made for it.
    ...only([POD_WEBHOOK.configuration], on(['MutatingWebhookConfiguration'], [...READ, 'patch'])),
  ],
  here: [
    ...on(['Lease'], [...READ, 'create', 'patch']),
    ...on(['Secret'], ['get', 'create', 'patch', 'delete']),
    // To serve with a certificate as soon as it is renewed.
    ...only([AUTHORITY_SECRET, CERTIFICATE_SECRET], on(['Secret'], ['list', 'watch'])),
    // To let an agent read the keys of the volumes on its node, one by one.
    ...on(['Role'], ['create']),
    ...on(['RoleBinding'], ['create', 'patch']),
  ],
};

/** Whether a cluster lets a controller do something; for simulations, where whatever it does is asked. */
export function controllerMay({ verb, kind, subresource, namespace = SYSTEM_NAMESPACE }: Action): boolean {
  const { group, plural, scope } = KINDS[kind];
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const isHere = scope === 'Namespaced' && namespace === SYSTEM_NAMESPACE;
  const rules = isHere ? [...CONTROLLER.everywhere, ...CONTROLLER.here] : CONTROLLER.everywhere;
  return rules.some(
    (each) => each.apiGroups.includes(group) && each.resources.includes(resource) && each.verbs.includes(verb),
  );
}

/**
 * What the embedded API lets an agent do. That one also looks at whose objects they are, which RBAC cannot: so the role has no
 * Secrets. For the key of each volume with a copy on its node an agent has a role of its own (adapters/kube/key-access.ts).
 */
function agentRules(kinds: readonly KindName[]): readonly Rule[] {
  const isAllowed = (kind: KindName, verb: Verb, subresource?: 'status') =>
    authorize({ user: 'holdfast:node:any', groups: [NODES] }, { verb, kind, subresource }).isAllowed;
  const askable = kinds.filter((kind) => kind !== 'Secret');
  return [
    ...byVerbs(askable, (kind) => VERBS.filter((verb) => isAllowed(kind, verb))),
    ...byVerbs(
      askable.filter((kind) => KINDS[kind].hasStatus),
      (kind) => (['update', 'patch'] as const).filter((verb) => isAllowed(kind, verb, 'status')),
      '/status',
    ),
  ];
}

/** One rule for all kinds of which the same may be done. */
function byVerbs(kinds: readonly KindName[], verbsOf: (kind: KindName) => readonly Verb[], part = ''): readonly Rule[] {
  const alike = Map.groupBy(kinds, (kind) => verbsOf(kind).join(' '));
  return [...alike].flatMap(([verbs, same]) => (verbs === '' ? [] : on(same, verbs.split(' ') as Verb[], part)));
}

const NODE: Role = {
  name: 'holdfast-node',
  group: NODES,
  account: NODE_ACCOUNT,
  everywhere: agentRules(KIND_NAMES.filter((kind) => kind !== 'Lease')),
  here: agentRules(['Lease']),
};

const SNAPSHOTS = 'snapshot.storage.k8s.io';
const STORAGE = 'storage.k8s.io';

/** As external-provisioner, -attacher, -resizer and -snapshotter say in their own deploy/kubernetes/rbac.yaml. */
const SIDECAR: Role = {
  name: 'holdfast-sidecars',
  group: SIDECARS,
  account: CONTROLLER_ACCOUNT,
  everywhere: [
    rule('', ['persistentvolumes'], [...READ, 'create', 'patch', 'delete']),
    rule('', ['persistentvolumeclaims'], [...READ, 'update']),
    rule('', ['persistentvolumeclaims/status'], ['patch']),
    rule('', ['pods', 'nodes'], READ),
    rule('', ['events'], ['list', 'watch', 'create', 'update', 'patch']),
    rule(STORAGE, ['storageclasses', 'csinodes', 'volumeattributesclasses'], READ),
    rule(STORAGE, ['volumeattachments'], [...READ, 'patch']),
    rule(STORAGE, ['volumeattachments/status'], ['patch']),
    rule(SNAPSHOTS, ['volumesnapshots'], [...READ, 'update']),
    rule(SNAPSHOTS, ['volumesnapshotclasses'], READ),
    rule(SNAPSHOTS, ['volumesnapshotcontents'], [...READ, 'update', 'patch']),
    rule(SNAPSHOTS, ['volumesnapshotcontents/status'], ['update', 'patch']),
  ],
  here: [
    rule('coordination.k8s.io', ['leases'], [...READ, 'create', 'update', 'patch', 'delete']),
    // That a class may name; whoever names another one lets the sidecars read that.
    { ...rule('', ['secrets'], ['get']), resourceNames: [CLASS_SECRET] },
    rule(STORAGE, ['csistoragecapacities'], [...READ, 'create', 'update', 'patch', 'delete']),
    // Who owns what is said of capacity: the Deployment.
    rule('apps', ['replicasets'], ['get']),
  ],
};

const API = 'rbac.authorization.k8s.io';
const labels = { 'app.kubernetes.io/part-of': 'holdfast' };

/** Roles and who has them. */
export function accessObjects(): readonly Json[] {
  return [CONTROLLER, NODE, SIDECAR].flatMap(objectsOf);
}

function objectsOf({ name, group, account, everywhere, here }: Role): readonly Json[] {
  const subjects = [
    { kind: 'Group', apiGroup: API, name: group },
    { kind: 'ServiceAccount', name: account, namespace: SYSTEM_NAMESPACE },
  ];
  const apiVersion = `${API}/v1`;
  const wide = { name, labels };
  const narrow = { name, namespace: SYSTEM_NAMESPACE, labels };
  return [
    { apiVersion, kind: 'ClusterRole', metadata: wide, rules: everywhere },
    {
      ...{ apiVersion, kind: 'ClusterRoleBinding', metadata: wide, subjects },
      roleRef: { apiGroup: API, kind: 'ClusterRole', name },
    },
    { apiVersion, kind: 'Role', metadata: narrow, rules: here },
    { apiVersion, kind: 'RoleBinding', metadata: narrow, subjects, roleRef: { apiGroup: API, kind: 'Role', name } },
  ];
}
