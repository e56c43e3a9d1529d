/** The webhook that gives pods with volumes of Holdfast a scheduler that asks it, as the API server calls it. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createLocalityIndex } from '../../src/controllers/locality/locality-index.ts';
import { createPodAdmission } from '../../src/controllers/locality/pod-admission.ts';
import { createFakeClock } from '../../src/ports/clock.fake.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import { serveScheduling } from '../../src/shells/extender/serve-scheduling.ts';

const SCHEDULER = 'holdfast-scheduler';
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';
const clock = createFakeClock();
const client = createFakeResourceClient({ clock, random: createSystemRandom() });
const stopping = new AbortController();
let url: string;
let ended: Promise<void>;

const addClaim = (name: string, spec: object, rest: object = {}) =>
  client.create(
    'PersistentVolumeClaim',
    { metadata: { name, namespace: 'team', ...rest }, spec },
    { namespace: 'team' },
  );
const addVolume = (name: string, source: object) =>
  client.create('PersistentVolume', { metadata: { name }, spec: source });

beforeAll(async () => {
  await client.create('StorageClass', { metadata: { name: 'ours' }, provisioner: 'csi.holdfast.dev' });
  await client.create('StorageClass', { metadata: { name: 'others' }, provisioner: 'csi.example.com' });
  await addVolume('pv-ours', { csi: { driver: 'csi.holdfast.dev', volumeHandle: 'v' } });
  await addVolume('pv-others', { csi: { driver: 'csi.example.com', volumeHandle: 'v' } });
  await addClaim('waits', { storageClassName: 'ours' });
  await addClaim('old', {}, { annotations: { [CLASS_ANNOTATION]: 'ours' } });
  await addClaim('static', { storageClassName: 'kismatic', volumeName: 'pv-ours' });
  await addClaim('others', { storageClassName: 'others' });
  await addClaim('bound-to-others', { storageClassName: 'ours', volumeName: 'pv-others' });
  const deps = { client, clock, log: createFakeLogger(), random: createSystemRandom() };
  const index = createLocalityIndex(deps, { idleMs: 3_600_000 });
  const admission = createPodAdmission(deps, { idleMs: 3_600_000, scheduler: SCHEDULER, index });
  const listening = Promise.withResolvers<number>();
  ended = serveScheduling(
    {
      ...{ ...deps, index, admission, listen: { host: '127.0.0.1', port: 0 } },
      onListening: ({ port }) => listening.resolve(port),
    },
    stopping.signal,
  );
  url = `http://127.0.0.1:${await listening.promise}`;
  await vi.waitFor(async () => {
    if (!(await fetch(`${url}/readyz`)).ok) throw new Error('not ready');
  });
  await client.create('Lease', { metadata: { name: SCHEDULER }, spec: { renewTime: '2026-01-01T00:00:00.000000Z' } });
});
afterAll(async () => {
  stopping.abort();
  await ended;
});

/** The scheduler renews its Lease. */
let renewals = 0;
async function renew(): Promise<void> {
  renewals += 1;
  const renewTime = `2026-01-01T00:00:${String(renewals).padStart(2, '0')}.000000Z`;
  await client.patch('Lease', SCHEDULER, { spec: { renewTime } });
  await clock.settle();
}

const withClaim = (claimName: string) => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] });
const review = (spec: object, metadata: object = {}, operation = 'CREATE') => ({
  ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
  request: { uid: 'u1', namespace: 'team', operation, object: { metadata: { name: 'p', ...metadata }, spec } },
});
const post = (body: unknown) =>
  fetch(`${url}/mutate`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
  });

/** The scheduler that the pod gets; undefined where it is left as it is. */
async function schedulerOf(body: unknown): Promise<unknown> {
  const answer = (await (await post(body)).json()) as {
    readonly response: { readonly uid: string; readonly allowed: boolean; readonly patch?: string };
  };
  expect(answer).toMatchObject({ kind: 'AdmissionReview', response: { uid: 'u1', allowed: true } });
  const { patch } = answer.response;
  if (patch === undefined) return undefined;
  const [operation] = JSON.parse(Buffer.from(patch, 'base64').toString()) as readonly { readonly value: unknown }[];
  expect(operation).toMatchObject({ op: 'add', path: '/spec/schedulerName' });
  return operation?.value;
}

test('no pod is given to a scheduler that is not seen at work, or is so no more', async () => {
  const body = review(withClaim('waits'));
  await clock.settle();
  expect(await schedulerOf(body)).toBeUndefined();
  await renew();
  expect(await schedulerOf(body)).toBe(SCHEDULER);
  await clock.advance(19_000);
  expect(await schedulerOf(body)).toBe(SCHEDULER);
  await clock.advance(2_000);
  expect(await schedulerOf(body)).toBeUndefined();
});

const ephemeral = (storageClassName: string) => ({
  volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: { storageClassName } } } }],
});
test.each([
  ['a claim that waits for its volume', review(withClaim('waits')), SCHEDULER],
  ['a claim that names its class as it once was done', review(withClaim('old')), SCHEDULER],
  ['a claim with a volume that people made', review(withClaim('static')), SCHEDULER],
  ['a claim that is made with its pod', review(ephemeral('ours'), { name: undefined, generateName: 'p-' }), SCHEDULER],
  [
    'the default scheduler by its name',
    review({ ...withClaim('waits'), schedulerName: 'default-scheduler' }),
    SCHEDULER,
  ],
  ['another scheduler', review({ ...withClaim('waits'), schedulerName: 'mine' }), undefined],
  [
    'a wish for no advice',
    review(withClaim('waits'), { annotations: { 'storageos.com/scheduler': 'false' } }),
    undefined,
  ],
  ['a claim of another driver', review(withClaim('others')), undefined],
  ['a volume of another driver', review(withClaim('bound-to-others')), undefined],
  ['a claim that is not there', review(withClaim('nowhere')), undefined],
  ['a template of another driver', review(ephemeral('others')), undefined],
  ['no volumes', review({ containers: [] }), undefined],
  ['a change', review(withClaim('waits'), {}, 'UPDATE'), undefined],
])('a pod with %s', async (_what, body, scheduler) => {
  await renew();
  expect(await schedulerOf(body)).toBe(scheduler);
});

test('a claim that was made a moment ago, and is not heard of yet, is asked for', async () => {
  await renew();
  await addClaim('fresh', { storageClassName: 'ours' });
  expect(await schedulerOf(review(withClaim('fresh')))).toBe(SCHEDULER);
});

test.each([
  ['nothing', null],
  ['another version', { ...review({}), apiVersion: 'admission.k8s.io/v1beta1' }],
  ['no request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }],
  ['no pod', { ...review({}), request: { uid: 'u', operation: 'CREATE', object: null } }],
])('a review of %s is refused', async (_what, body) => {
  expect((await post(body)).status).toBe(400);
});
