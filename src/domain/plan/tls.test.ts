import { expect, it } from 'vitest';
import { PlanFile } from '../../schemas/plan-file.ts';
import type { StorageCluster } from '../../schemas/storage-cluster.ts';
import { Volume } from '../../schemas/volume.ts';
import { diffPlan, type StoredObjects } from './diff-plan.ts';
import { exportPlan } from './export-plan.ts';
import { resolvePlan } from './resolve-plan.ts';

const plan = (enabled: boolean | undefined) =>
  resolvePlan(
    PlanFile.parse({
      storage: { nodes: [{ host: 'kube1', ip: '10.0.0.1' }] },
      ...(enabled === undefined ? {} : { tls: { enabled } }),
    }),
  );
const cluster = (isEnabled: boolean): StorageCluster => ({
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'StorageCluster', metadata: { name: 'default' } },
  spec: { nodes: ['kube1'], tls: { isEnabled } },
});
const NOTHING: StoredObjects = { clusters: [], nodes: [], volumes: [], copies: [], attachments: [] };
const GV0 = Volume.parse({
  ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name: 'gv0' } },
  spec: { size: '1Gi', engine: 'gluster', layout: 'single', replicas: 1, pool: 'default', brick: 'image' },
});
const ofCluster = ({ writes }: ReturnType<typeof diffPlan>) => writes.find(({ kind }) => kind === 'StorageCluster');

it('a plan sets the encryption of a cluster that has no volumes yet, and leaves it where it says nothing', () => {
  expect(ofCluster(diffPlan(plan(true), NOTHING))).toMatchObject({
    spec: { nodes: ['kube1'], tls: { isEnabled: true } },
  });
  const stored = { ...NOTHING, clusters: [cluster(true)] };
  expect(ofCluster(diffPlan(plan(false), stored))).toMatchObject({ patch: { spec: { tls: { isEnabled: false } } } });
  expect(ofCluster(diffPlan(plan(true), stored))).toMatchObject({ action: 'unchanged' });
  expect(ofCluster(diffPlan(plan(undefined), stored))).toMatchObject({ action: 'unchanged' });
});

it('a plan interrupts no volume: the change is refused, and the command for it is named', () => {
  const stored = { ...NOTHING, clusters: [cluster(false)], volumes: [GV0] };
  const { conflicts } = diffPlan(plan(true), stored);
  expect(conflicts).toEqual([
    { field: 'tls enabled', message: expect.stringContaining('holdfast cluster tls enable') },
  ]);
  expect(diffPlan(plan(false), stored).conflicts).toEqual([]);
});

it('an exported plan says that traffic is encrypted', () => {
  expect(exportPlan({ ...NOTHING, clusters: [cluster(true)] }).plan.tls).toEqual({ enabled: true });
  expect(exportPlan({ ...NOTHING, clusters: [cluster(false)] }).plan.tls).toBeUndefined();
});
