/** One leader among several processes, by a Lease: so that of two controllers only one acts. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { linkSignal, withDeadline } from './cancellation.ts';
import { createLeaseClaim, type LeaseClaim } from './lease-claim.ts';

export interface LeaderElectionDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface LeaderElectionOptions {
  /** Name of the Lease in holdfast-system. */
  readonly leaseName: string;
  /** Unique to this process, also among its own restarts: host name and a UUID. */
  readonly identity: string;
  /** Others take the lease when they saw it unchanged for so long. Whole seconds; default 15 s. */
  readonly leaseDurationMs?: Millis;
  /**
   * The leader stops its work when no renewal succeeded for so long. The difference to the lease's duration is the time
   * the work has for stopping. Default 10 s.
   */
  readonly renewDeadlineMs?: Millis;
  /** Time between renewals, and between looks of those who wait. Default 2 s. */
  readonly retryMs?: Millis;
}

export interface LeaderElection {
  /**
   * Waits for leadership, runs `work` while it lasts, and starts over after its loss, until the signal aborts.
   * Then it waits for the work to end and gives the lease back, so that a successor need not wait.
   *
   * @param work - must stop soon after its signal aborts. When it returns or throws by itself the election ends too
   */
  run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** True while this process may act as the leader; computed from the clock, so also right after a pause. */
  isLeader(): boolean;
}

/**
 * Creates an election.
 *
 * Why there are never two leaders: a leader counts its time from the moment BEFORE it sent its last successful renewal,
 * and stops after renewDeadline. Another takes the lease only leaseDuration after it first SAW that renewal, which is
 * later. Both measure spans on their own clocks; the times written in the lease are for people and never compared.
 *
 * @throws {AppError} invalid when the durations do not leave the leader time to stop
 */
export function createLeaderElection(deps: LeaderElectionDeps, options: LeaderElectionOptions): LeaderElection {
  const { leaseName, identity, leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryMs = 2_000 } = options;
  if (!(retryMs < renewDeadlineMs && renewDeadlineMs < leaseDurationMs && leaseDurationMs % 1_000 === 0)) {
    throw new AppError('invalid', 'leader election needs retryMs < renewDeadlineMs < leaseDurationMs (whole seconds)');
  }
  const { clock, random } = deps;
  const log = deps.log.child({ lease: leaseName, identity });
  const claim = createLeaseClaim(deps, { leaseName, identity, leaseDurationMs, namespace: SYSTEM_NAMESPACE });
  const term = createTerm(clock, renewDeadlineMs);

  /** A call that hangs on a dead connection must leave time for another one. */
  const tryMs = Math.max(retryMs, renewDeadlineMs / 3);

  /** One try, which counts from before it was sent. */
  const tryClaim = async (ms: Millis, signal: AbortSignal): Promise<boolean> => {
    const sent = term.mark();
    const deadline = { ms, what: `lease ${leaseName}`, signal };
    const isOurs = await withDeadline(clock, deadline, (inner) => claim.tryAcquire(inner));
    if (isOurs) term.extend(sent);
    return isOurs;
  };

  const acquire = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (await tryClaim(tryMs, signal)) return;
      } catch (error) {
        if (!signal.aborted) log.warn('lease not reached', { err: error });
      }
      await pause(clock, retryMs * (1 + 0.2 * random.next()), signal);
    }
  };

  /** Renews until the signal aborts or the leadership is lost; tells how it ended. */
  const keep = async (signal: AbortSignal): Promise<AppError | undefined> => {
    while (!signal.aborted) {
      await pause(clock, Math.min(retryMs, term.leftMs()), signal);
      if (signal.aborted) return undefined;
      const leftMs = term.leftMs();
      if (leftMs <= 0) return lost(`no renewal succeeded for ${renewDeadlineMs} ms`);
      try {
        if (!(await tryClaim(Math.min(leftMs, tryMs), signal))) return lost('another process holds the lease');
      } catch (error) {
        if (!signal.aborted) log.warn('lease not renewed', { err: error, leftMs: Math.round(term.leftMs()) });
      }
    }
    return undefined;
  };
  const lost = (why: string) =>
    new AppError('cancelled', `lost leadership by lease ${leaseName}: ${why}`, { reason: 'LeadershipLost' });

  /** One leadership, from the acquired lease to the end of the work. */
  const lead = async (work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'lost' | 'ended'> => {
    const working = linkSignal(signal);
    // Not linked to the caller's signal: the lease is held until the work has ended, however long that takes.
    const renewing = linkSignal(undefined);
    let loss: AppError | undefined;
    log.info('became leader');
    const keeping = keep(renewing.signal).then((reason) => {
      loss = reason;
      term.end();
      if (reason !== undefined) working.abort(reason);
    });
    try {
      await work(working.signal);
    } catch (error) {
      if (!working.signal.aborted) throw error;
    } finally {
      renewing.abort(new AppError('cancelled', 'the work ended'));
      await keeping;
      working.unlink();
      renewing.unlink();
      term.end();
      if (loss === undefined) await release(claim, clock, renewDeadlineMs, log);
    }
    if (loss !== undefined) log.warn('stopped being leader', { err: loss });
    return loss === undefined ? 'ended' : 'lost';
  };

  return {
    isLeader: () => term.leftMs() > 0,
    run: async (work, signal) => {
      do {
        await acquire(signal);
        if (signal.aborted) return;
      } while ((await lead(work, signal)) === 'lost' && !signal.aborted);
    },
  };
}

/**
 * How long the leadership still holds. The longer of the two clocks counts: the monotonic one stands still while a
 * machine is suspended, the wall clock may be set back; a jump forward only makes a leader stop needlessly.
 */
function createTerm(clock: Clock, lengthMs: Millis) {
  interface Mark {
    readonly monotonic: Millis;
    readonly wall: Millis;
  }
  let from: Mark | undefined;
  return {
    mark: (): Mark => ({ monotonic: clock.monotonic(), wall: clock.now() }),
    extend: (mark: Mark): void => {
      from = mark;
    },
    end: (): void => {
      from = undefined;
    },
    leftMs: (): Millis =>
      from === undefined ? 0 : lengthMs - Math.max(clock.monotonic() - from.monotonic, clock.now() - from.wall),
  };
}

async function release(claim: LeaseClaim, clock: Clock, ms: Millis, log: Logger): Promise<void> {
  try {
    await withDeadline(clock, { ms, what: 'release of the lease' }, (signal) => claim.release(signal));
  } catch (error) {
    // Nothing is lost but time: the successor waits until the lease expires.
    if (!isAppError(error, 'conflict')) log.warn('lease not released', { err: error });
  }
}

async function pause(clock: Clock, ms: Millis, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined); // aborted: the caller's loop looks at the signal
}
