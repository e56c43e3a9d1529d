/** One contract over every ResourceClient: in memory, in process, and over TLS to the embedded API server. */
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { createResources } from '../../src/usecases/resources/resources.ts';
import { createDirectClient } from '../sim/direct-client.ts';
import { describeResourceClient } from './resource-client.contract.ts';

/** Changes that the store under test remembers; a list of more than a page must fit in between. */
const CHANGE_WINDOW = 50;
const deps = { clock: createSystemClock(), random: createSystemRandom() };

/** More changes of volumes than the server remembers. */
async function outrunHistory(client: ResourceClient): Promise<void> {
  await client.create('Volume', { metadata: { name: 'busy' }, spec: { size: '1Gi' } });
  for (let at = 0; at < CHANGE_WINDOW * 2; at += 1) {
    await client.patch('Volume', 'busy', { metadata: { labels: { at: String(at) } } });
  }
}

describeResourceClient('in memory (the fake for unit tests)', async () => {
  const client = createFakeResourceClient(deps);
  return {
    client,
    forgetHistory: async () => {
      await client.create('Volume', { metadata: { name: 'busy' }, spec: { size: '1Gi' } });
      client.forgetHistory();
    },
    bookmark: async () => client.sendBookmarks(),
    stop: async () => {},
  };
});

describeResourceClient('in process, over the use cases', async () => {
  const store = openSqliteStore({ path: ':memory:', changeWindow: CHANGE_WINDOW });
  const resources = createResources({ store, ...deps });
  await resources.ensureNamespaces();
  let bookmark = Promise.withResolvers<void>();
  const client = createDirectClient(resources, { nextBookmark: () => bookmark.promise });
  return {
    client,
    forgetHistory: () => outrunHistory(client),
    bookmark: async () => {
      bookmark.resolve();
      bookmark = Promise.withResolvers();
    },
    stop: async () => store.close(),
  };
});
