import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createLeaseClaim } from './lease-claim.ts';

describe('createLeaseClaim', () => {
  it.each(['tryAcquire', 'release'] as const)(
    'does not go on with %s when its answer comes after the caller gave up',
    async (verb) => {
      const clock = createFakeClock();
      const server = createFakeResourceClient({ clock, random: createSeededRandom(1) });
      const options = { leaseName: 'l', namespace: 'holdfast-system', identity: 'a', leaseDurationMs: 15_000 };
      await createLeaseClaim({ client: server, clock }, options).tryAcquire(new AbortController().signal);
      const version = server.version();

      const gate = Promise.withResolvers<void>();
      const slow = {
        ...server,
        get: async (...args: Parameters<typeof server.get>) => {
          const answer = await server.get(...args);
          await gate.promise;
          return answer;
        },
      } as typeof server;
      const caller = new AbortController();
      const call = createLeaseClaim({ client: slow, clock }, options)[verb](caller.signal);
      caller.abort(new Error('gave up'));
      gate.resolve();
      await expect(call).rejects.toThrow('gave up');
      expect(server.version()).toBe(version);
    },
  );
});
