/** The contract over the clients without a network: in memory, and in process. HTTPS: resource-client-https.test.ts. */
import { openSqliteStore } from '../../src/adapters/object-store/sqlite.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createFakeResourceClient } from '../../src/ports/resource-client.fake.ts';
import { createResources } from '../../src/usecases/resources/resources.ts';
import { createDirectClient } from '../sim/direct-client.ts';
import { describeResourceClient, outrunHistory } from './resource-client.contract.ts';

/** Changes that the store under test remembers; a list of more than a page must fit in between. */
const CHANGE_WINDOW = 50;
const deps = { clock: createSystemClock(), random: createSystemRandom() };

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
    forgetHistory: () => outrunHistory(client, CHANGE_WINDOW),
    bookmark: async () => {
      bookmark.resolve();
      bookmark = Promise.withResolvers();
    },
    stop: async () => store.close(),
  };
});
