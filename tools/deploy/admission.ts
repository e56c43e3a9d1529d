/**
 * What RBAC cannot say: an agent writes only what its own node is responsible for. The rules are those of the embedded API
 * (src/shells/kube-api/authorize.ts), in CEL; which node an agent is of is told by its certificate, or by the claim that
 * Kubernetes puts into the token of a pod.
 */
import { KINDS, type KindName, SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { NODES } from '../../src/shells/kube-api/authorize.ts';
import { NODE_ACCOUNT } from './accounts.ts';
import type { Json } from './crd-schema.ts';
import { structuralSchema } from './crd-schema.ts';
import { labelsOf } from './labels.ts';

const API = 'admissionregistration.k8s.io/v1';
const NAME = 'holdfast-agents';
const ACCOUNT = `system:serviceaccount:${SYSTEM_NAMESPACE}:${NODE_ACCOUNT}`;
const CERTIFICATE = 'holdfast:node:';
const NODE_CLAIM = 'authentication.kubernetes.io/node-name';

interface NodeRule {
  readonly kinds: readonly KindName[];
  /** Must be true; `variables.node` is the agent's. */
  readonly holds: string;
  readonly message: string;
}

const OWN_KINDS: readonly NodeRule[] = [
  {
    kinds: ['StorageNode'],
    holds: 'object.metadata.name == variables.node',
    message: 'an agent reports on its own node only',
  },
  {
    kinds: ['VolumeCopy', 'VolumeAttachmentRecord'],
    holds: 'oldObject.spec.node == variables.node',
    message: 'an agent may report only on what is on its node',
  },
  {
    kinds: ['Volume'],
    holds: `${statusIs('anchor')} && ${othersStay('Volume', 'engine')}`,
    message: 'an agent may only report status.engine of volumes anchored on its node',
  },
  {
    kinds: ['StorageCluster'],
    holds: `${statusIs('anchor')} && ${othersStay('StorageCluster', 'peers')}`,
    message: 'an agent may only report status.peers of a cluster anchored on its node',
  },
  {
    kinds: ['VolumeGroupSnapshotRecord'],
    holds: `${statusIs('node')} && ${othersStay('VolumeGroupSnapshotRecord', 'images')}`,
    message: 'an agent may only report status.images of a group whose volumes are on its node',
  },
  {
    kinds: ['Task'],
    holds: `${entriesStay('parts', 'key == variables.node')} && ${othersStay('Task', 'parts')}`,
    message: 'an agent may only report status.parts of its own node',
  },
  {
    kinds: ['VolumeSnapshotRecord'],
    holds: entriesStay('copies', 'oldObject.status.copies[key].node == variables.node'),
    message: 'an agent may report only the images on its node',
  },
];

const CORE_KINDS: readonly NodeRule[] = [
  {
    kinds: ['Lease'],
    holds: 'object.metadata.name == variables.node',
    message: 'an agent holds only the lease of its own node',
  },
  {
    kinds: ['Event'],
    holds: 'has(object.source) && has(object.source.host) && object.source.host == variables.node',
    message: 'an agent reports events of its own node only',
  },
];

function statusIs(key: string): string {
  return `has(oldObject.status) && has(oldObject.status.${key}) && oldObject.status.${key} == variables.node`;
}

/** All of the status but one key is as it was. */
function othersStay(kind: KindName, but: string): string {
  const { properties } = structuralSchema(KINDS[kind].schema) as {
    readonly properties: { readonly status: { readonly properties: Readonly<Record<string, unknown>> } };
  };
  const keys = Object.keys(properties.status.properties).filter((key) => key !== but);
  const was = '(has(oldObject.status) && has(oldObject.status.KEY))';
  const is = '(has(object.status) && has(object.status.KEY))';
  const stays = `(${was} == ${is} && (!${is} || object.status.KEY == oldObject.status.KEY))`;
  return keys.map((key) => stays.replaceAll('KEY', key)).join(' && ');
}

/** The entries of others in a map of the status are as they were. */
function entriesStay(field: string, isOwn: string): string {
  const [was, is] = [`oldObject.status.${field}`, `object.status.${field}`];
  const none = `!has(oldObject.status) || !has(${was})`;
  const same = `has(object.status) && has(${is}) && key in ${is} && ${is}[key] == ${was}[key]`;
  return `(${none} || ${was}.all(key, ${isOwn} || (${same})))`;
}

/** The policy and its binding. */
export function admissionObjects(): readonly Json[] {
  const rules = [...OWN_KINDS, ...CORE_KINDS];
  const metadata = { name: NAME, labels: labelsOf() };
  return [
    {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicy', metadata },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules.flatMap(({ kinds }) => kinds.map(resourceRule)) },
        matchConditions: [
          {
            name: 'is-an-agent',
            expression: `request.userInfo.username == '${ACCOUNT}' || request.userInfo.groups.exists(group, group == '${NODES}')`,
          },
        ],
        variables: [{ name: 'node', expression: nodeOf() }],
        validations: rules.map(({ kinds, holds, message }) => ({
          expression: `!(request.resource.resource in [${kinds.map((kind) => `'${KINDS[kind].plural}'`).join(', ')}]) || (${holds})`,
          message,
        })),
      },
    },
    {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicyBinding', metadata },
      spec: { policyName: NAME, validationActions: ['Deny'] },
    },
  ];
}

/** No node is called so: a token that names none speaks for nobody. */
function nodeOf(): string {
  const user = 'request.userInfo';
  const byCertificate = `${user}.username.substring(${CERTIFICATE.length})`;
  const byToken = `'${NODE_CLAIM}' in ${user}.extra ? ${user}.extra['${NODE_CLAIM}'][0] : ''`;
  return `${user}.username.startsWith('${CERTIFICATE}') ? ${byCertificate} : (${byToken})`;
}

function resourceRule(kind: KindName): Json {
  const { group, version, plural, hasStatus } = KINDS[kind];
  return {
    ...{ apiGroups: [group], apiVersions: [version], operations: ['CREATE', 'UPDATE'] },
    resources: hasStatus ? [plural, `${plural}/status`] : [plural],
  };
}
