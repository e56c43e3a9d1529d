import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createFaultyClient, NO_FAULTS } from '../../ports/faulty-client.fake.ts';
import { createFakeLogger } from '../../ports/logger.fake.ts';
import { createSeededRandom } from '../../ports/random.fake.ts';
import { createFakeResourceClient } from '../../ports/resource-client.fake.ts';
import { createLeaderElection } from './leader-election.ts';

function setUp() {
  const clock = createFakeClock();
  const random = createSeededRandom(3);
  const server = createFakeResourceClient({ clock, random });
  const start = (identity: string) => {
    const client = createFaultyClient(server, random, NO_FAULTS);
    const election = createLeaderElection(
      { client, clock, random, log: createFakeLogger() },
      { leaseName: 'controller', identity },
    );
    const stop = new AbortController();
    const reasons: unknown[] = [];
    const ended = election.run(async (signal) => {
      await clock.sleep(1e9, signal).catch((error: unknown) => reasons.push(error));
    }, stop.signal);
    return { election, client, stop, ended, reasons };
  };
  const lease = () => server.get('Lease', 'controller');
  return { clock, server, start, lease };
}

describe('createLeaderElection', () => {
  it('makes the first one leader at once and keeps it', async () => {
    const { clock, start, lease } = setUp();
    const a = start('a');
    await clock.settle();
    expect(a.election.isLeader()).toBe(true);
    const b = start('b');
    await clock.advance(120_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
    expect((await lease())?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  it('hands over at once when the leader shuts down, after its work has ended', async () => {
    const { clock, start, lease } = setUp();
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.settle();
    a.stop.abort();
    await a.ended;
    expect((await lease())?.spec.holderIdentity).toBe('');
    await clock.advance(3_000);
    expect(b.election.isLeader()).toBe(true);
    expect((await lease())?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('stops the work of a leader that is cut off before another can take over', async () => {
    const { clock, start } = setUp();
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.advance(2_000);
    a.client.cut();
    await clock.advance(10_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([false, false]);
    expect(a.reasons).toMatchObject([{ kind: 'cancelled', reason: 'LeadershipLost' }]);
    await clock.advance(10_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([false, true]);
  });

  it('counts from before a renewal was sent, not from its answer', async () => {
    const { clock, server } = setUp();
    const random = createSeededRandom(1);
    const slow = createFaultyClient(
      {
        ...server,
        patch: async (...args) => {
          const renewed = await server.patch(...args);
          await clock.sleep(3_000);
          return renewed;
        },
      },
      random,
      NO_FAULTS,
    );
    const deps = { client: slow, clock, random, log: createFakeLogger() };
    const election = createLeaderElection(deps, { leaseName: 'controller', identity: 'a' });
    const stop = new AbortController();
    const ended = election.run((signal) => clock.sleep(1e9, signal), stop.signal);
    await clock.advance(5_500); // sent at 2 s, answered at 5 s
    slow.cut();
    await clock.advance(6_400);
    expect(election.isLeader()).toBe(true);
    await clock.advance(100);
    expect(election.isLeader()).toBe(false);
    stop.abort();
    await clock.advance(60_000);
    await ended;
  });

  it('goes by what it saw change, not by the times written in the lease', async () => {
    const { clock, server, start } = setUp();
    const spec = { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime: '1999-01-01T00:00:00.000000Z' };
    const metadata = { name: 'controller' };
    await server.create('Lease', { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
    const a = start('a');
    await clock.advance(14_000);
    expect(a.election.isLeader()).toBe(false);
    await clock.advance(6_000);
    expect(a.election.isLeader()).toBe(true);
  });

  it('waits out a holder whose lease was deleted', async () => {
    const { clock, server, start } = setUp();
    const a = start('a');
    await clock.settle();
    const b = start('b');
    await clock.settle();
    a.client.cut();
    await server.delete('Lease', 'controller');
    await clock.advance(9_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
    await clock.advance(10_000);
    expect([a.election.isLeader(), b.election.isLeader()]).toEqual([false, true]);
  });

  it('is no leader any more after the machine was suspended, whatever the monotonic clock says', async () => {
    const { clock, start } = setUp();
    const a = start('a');
    await clock.settle();
    clock.setWallClock(clock.now() + 60_000);
    expect(a.election.isLeader()).toBe(false);
  });

  it('ends with the error of the work, and gives the lease back', async () => {
    const { clock, server, lease } = setUp();
    const deps = { client: server, clock, random: createSeededRandom(1), log: createFakeLogger() };
    const election = createLeaderElection(deps, { leaseName: 'controller', identity: 'a' });
    const failed = new Error('the work failed');
    await expect(election.run(() => Promise.reject(failed), new AbortController().signal)).rejects.toBe(failed);
    expect((await lease())?.spec.holderIdentity).toBe('');
    expect(election.isLeader()).toBe(false);
  });

  it('refuses durations that leave a leader no time to stop', () => {
    const { clock, server } = setUp();
    const deps = { client: server, clock, random: createSeededRandom(1), log: createFakeLogger() };
    const options = { leaseName: 'controller', identity: 'a', leaseDurationMs: 10_000, renewDeadlineMs: 10_000 };
    expect(() => createLeaderElection(deps, options)).toThrow('renewDeadlineMs < leaseDurationMs');
  });
});
