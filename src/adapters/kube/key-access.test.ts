import { expect, test } from 'vitest';
import { keySecret } from '../../domain/volume/volume-key.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createKeyAccess } from './key-access.ts';

const { signal } = new AbortController();
const NAME = 'volume-key-u1';

function setUp() {
  const random = createSeededRandom(1);
  const client = createFakeResourceClient({ clock: createFakeClock(), random });
  const access = createKeyAccess({ client, userOf: (node) => `agent:${node}`, account: 'pods' });
  const subjects = async () => (await client.get('RoleBinding', NAME))?.subjects?.map(({ name }) => name);
  const addKey = () =>
    client.create('Secret', keySecret({ kind: 'volume', name: 'gv0', uid: 'u1' }, 'k'.repeat(43), []));
  return { client, access, subjects, addKey };
}

test('a key may be read by the agents named last, alone, and what says so goes with it', async () => {
  const { client, access, subjects, addKey } = setUp();
  const { metadata } = await addKey();
  await access.grant(NAME, ['kube1', 'kube2'], signal);
  const role = await client.get('Role', NAME);
  expect(role?.rules).toEqual([{ apiGroups: [''], resources: ['secrets'], resourceNames: [NAME], verbs: ['get'] }]);
  expect(await subjects()).toEqual(['agent:kube1', 'agent:kube2', 'pods']);
  const binding = await client.get('RoleBinding', NAME);
  for (const object of [role, binding]) {
    expect(object?.metadata['ownerReferences']).toMatchObject([{ kind: 'Secret', name: NAME, uid: metadata.uid }]);
  }
  await access.grant(NAME, ['kube3'], signal);
  expect(await subjects()).toEqual(['agent:kube3', 'pods']);
});

test('nothing is granted while there is no key', async () => {
  const { client, access } = setUp();
  await expect(access.grant(NAME, ['kube1'], signal)).rejects.toMatchObject({ kind: 'notFound' });
  expect((await client.list('Role')).items).toEqual([]);
});
