import { expect, test } from 'vitest';
import { apiVersionOf, groupPath, resourceOf } from './kind-names.ts';
import { KINDS } from './kinds.ts';

test.each([
  [KINDS.Volume, 'holdfast.dev/v1alpha1', 'apis/holdfast.dev/v1alpha1', 'volumes.holdfast.dev'],
  [KINDS.Lease, 'coordination.k8s.io/v1', 'apis/coordination.k8s.io/v1', 'leases.coordination.k8s.io'],
  [KINDS.Event, 'v1', 'api/v1', 'events'],
])('$kind is called as Kubernetes calls it', (kind, apiVersion, path, resource) => {
  expect(apiVersionOf(kind)).toBe(apiVersion);
  expect(groupPath(kind)).toBe(path);
  expect(resourceOf(kind)).toBe(resource);
});
