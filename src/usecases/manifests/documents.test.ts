/** The manifests of the documents that Holdfast is made after, as they stand there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { lintManifests } from './lint-manifests.ts';

const FOLDER = join(import.meta.dirname, '../../../test/fixtures/documents');

function lint(...names: readonly string[]) {
  return lintManifests(names.map((name) => ({ name, text: readFileSync(join(FOLDER, `${name}.yaml`), 'utf8') })));
}

function told(...names: readonly string[]): readonly string[] {
  return lint(...names).flatMap(({ name, findings }) =>
    findings.map(
      ({ line, rule, severity, isFixed }) => `${name}:${line} ${severity} ${rule}${isFixed ? ' fixed' : ''}`,
    ),
  );
}

function corrected(...names: readonly string[]): readonly unknown[] {
  return lint(...names).flatMap((file) => parseAllDocuments(file.corrected).map((each): unknown => each.toJS()));
}

test('the claim of Kismatic says its class in a field', () => {
  expect(told('kismatic-claim', 'kismatic-pod')).toEqual(['kismatic-claim:6 warning class-annotation fixed']);
  expect(corrected('kismatic-claim')).toEqual([
    {
      ...{ kind: 'PersistentVolumeClaim', apiVersion: 'v1', metadata: { name: 'my-app-frontend-claim' } },
      spec: {
        ...{ accessModes: ['ReadWriteMany'], resources: { requests: { storage: '10Gi' } } },
        storageClassName: 'kismatic',
      },
    },
  ]);
});

test('the class and the claim of StorageOS: the provisioner, and resources beside spec', () => {
  expect(told('storageos-class', 'storageos-claim')).toEqual([
    'storageos-class:10 error provisioner fixed',
    'storageos-claim:6 warning class-annotation fixed',
    'storageos-claim:10 error indentation fixed',
  ]);
  const [storageClass, claim] = corrected('storageos-class', 'storageos-claim');
  expect(storageClass).toMatchObject({
    provisioner: 'csi.holdfast.dev',
    parameters: { 'storageos.com/replicas': '2' },
  });
  expect(claim).toMatchObject({
    metadata: { name: 'database-vol-1' },
    spec: { storageClassName: 'storageos-production', resources: { requests: { storage: '100Gi' } } },
  });
});

test("the workshop's volume, claim and pod: fields that stand where none can", () => {
  expect(told('workshop-volume', 'workshop-claim', 'workshop-pod')).toEqual([
    'workshop-volume:2 error indentation fixed',
    'workshop-volume:10 warning recycle',
    'workshop-claim:5 warning claim-volume',
    'workshop-claim:8 error indentation fixed',
    'workshop-pod:11 error indentation fixed',
    'workshop-pod:12 error indentation fixed',
    'workshop-pod:14 error indentation fixed',
  ]);
  expect(corrected('workshop-volume', 'workshop-pod')).toEqual([
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv00003' } },
      spec: {
        ...{ capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Recycle' },
        ...{ storageClassName: 'slow', nfs: { path: '/tmp', server: '172.17.0.2' } },
      },
    },
    {
      ...{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'mypod' } },
      spec: {
        containers: [
          {
            ...{ name: 'myfrontend', image: 'dockerfile/nginx' },
            volumeMounts: [{ mountPath: '/var/www/html', name: 'mypd' }],
          },
        ],
        volumes: [{ name: 'mypd', persistentVolumeClaim: { claimName: 'myclaim' } }],
      },
    },
  ]);
});

test("the workshop's Redis: a template that is missing, and labels that its Service asks for", () => {
  expect(told('workshop-redis', 'workshop-redis-service')).toEqual([
    'workshop-redis:5 error selector fixed',
    'workshop-redis:7 error indentation fixed',
    'workshop-redis:8 error missing-field fixed',
  ]);
  const [set] = corrected('workshop-redis', 'workshop-redis-service');
  expect(set).toMatchObject({
    spec: {
      ...{ serviceName: 'redis', replicas: 3, selector: { matchLabels: { app: 'redis-persistence' } } },
      template: { metadata: { labels: { app: 'redis-persistence' } }, spec: { containers: [{ name: 'master' }] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { resources: { requests: { storage: '1Gi' } } } }],
    },
  });
});

test('what is corrected has nothing left to correct', () => {
  const names = ['kismatic-claim', 'kismatic-pod', 'storageos-class', 'storageos-claim', 'workshop-volume'];
  const all = [...names, 'workshop-claim', 'workshop-pod', 'workshop-redis', 'workshop-redis-service'];
  const again = lintManifests(lint(...all).map(({ name, corrected: text }) => ({ name, text })));
  expect(
    again.flatMap(({ findings }) => findings).filter(({ severity, isFixed }) => isFixed || severity === 'error'),
  ).toEqual([]);
});
