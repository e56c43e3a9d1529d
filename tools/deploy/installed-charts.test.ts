/**
 * Whether charts that may be installed somewhere can be upgraded to this one. `helm upgrade` fails, half done, on fields that the API
 * server never lets change, and deletes what a chart has no more. test/k8s/install.test.ts upgrades under pods that write.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { generateDeploy } from './generated-files.ts';

interface Read {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Fields of the API that are fixed for the life of an object, by kind, as the API server's own validation has them. */
const FIXED: Readonly<Record<string, (object: Read) => unknown>> = {
  Deployment: ({ spec }) => spec?.['selector'],
  // An engine whose pod is replaced takes the mounts of its node with it.
  DaemonSet: ({ spec }) => [spec?.['selector'], spec?.['updateStrategy']],
  ClusterRoleBinding: ({ roleRef }) => roleRef,
  RoleBinding: ({ roleRef }) => roleRef,
  CSIDriver: ({ spec }) => spec,
  StorageClass: ({ provisioner, parameters, reclaimPolicy, volumeBindingMode }) => ({
    ...{ provisioner, parameters, reclaimPolicy, volumeBindingMode },
  }),
};

/** Those of a manifest, by kind and name; definitions of kinds are there, and nothing of them is compared. */
function fixedOf(manifest: string): Readonly<Record<string, unknown>> {
  const objects = parseAllDocuments(manifest).flatMap((document) => (document.toJS() as Read | null) ?? []);
  const kept = objects.filter(({ kind }) => kind === 'CustomResourceDefinition' || FIXED[kind] !== undefined);
  return Object.fromEntries(kept.map((each) => [`${each.kind}/${each.metadata.name}`, FIXED[each.kind]?.(each) ?? {}]));
}

const INSTALLED = JSON.parse(readFileSync(join(import.meta.dirname, 'installed-charts.json'), 'utf8')) as readonly {
  readonly chart: string;
  readonly fixed: Readonly<Record<string, unknown>>;
}[];

test.each(INSTALLED)('what helm installed of $chart can become this one', ({ fixed }) => {
  const manifest = generateDeploy().find(({ path }) => path === 'deploy/holdfast.yaml')?.text ?? '';
  const now = fixedOf(manifest);
  expect(Object.keys(fixed).length).toBeGreaterThan(15);
  for (const [name, fields] of Object.entries(fixed)) expect(now[name], name).toEqual(fields);
});
