/**
 * What `kubectl delete -f` of the whole manifest must not take along: the definitions of the kinds, with which every Volume is
 * deleted while its agents still run and erase what is deleted; and the namespace, which has the keys of encrypted volumes.
 */
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import type { Json } from './crd-schema.ts';
import { labelsOf } from './labels.ts';

const API = 'admissionregistration.k8s.io/v1';
const NAME = 'holdfast-records';
const FREE = `${GROUP}/may-be-deleted`;

/**
 * The policy and its binding. Invariant: while they are there, nobody deletes a definition or the namespace by accident. In the
 * manifest they come after both, and kubectl deletes in that order.
 */
export function guardObjects(): readonly Json[] {
  const metadata = { name: NAME, labels: labelsOf() };
  const isDefinition = `(request.resource.resource == 'customresourcedefinitions' && oldObject.spec.group == '${GROUP}')`;
  const isNamespace = `(request.resource.resource == 'namespaces' && oldObject.metadata.name == '${SYSTEM_NAMESPACE}')`;
  const rule = (apiGroups: readonly string[], resources: readonly string[]): Json => ({
    ...{ apiGroups, apiVersions: ['*'], operations: ['DELETE'], resources },
  });
  const annotations = 'oldObject.metadata.annotations';
  const isFree = `has(${annotations}) && '${FREE}' in ${annotations} && ${annotations}['${FREE}'] == 'true'`;
  return [
    {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicy', metadata },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [rule(['apiextensions.k8s.io'], ['customresourcedefinitions']), rule([''], ['namespaces'])],
        },
        matchConditions: [{ name: 'has-records', expression: `${isDefinition} || ${isNamespace}` }],
        validations: [
          {
            expression: isFree,
            reason: 'Forbidden',
            message: `with it go records of volumes, or the keys of encrypted ones; who wants that sets the annotation ${FREE}=true`,
          },
        ],
      },
    },
    {
      ...{ apiVersion: API, kind: 'ValidatingAdmissionPolicyBinding', metadata },
      spec: { policyName: NAME, validationActions: ['Deny'] },
    },
  ];
}
