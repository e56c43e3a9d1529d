/** One process's hold on a Lease object: take it when it is free or expired, renew it, give it back. */

import { isAppError } from '../../domain/errors.ts';
import { kubernetesMicroTime } from '../../domain/kubernetes-time.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

export interface LeaseClaimOptions {
  readonly leaseName: string;
  readonly namespace: string;
  readonly identity: string;
  readonly leaseDurationMs: Millis;
}

export interface LeaseClaim {
  /**
   * Takes or renews the lease. False when another holds it, or was faster just now.
   *
   * @throws {AppError} unavailable, timeout, denied: whether it took effect is not known
   */
  tryAcquire(signal: AbortSignal): Promise<boolean>;
  /** Gives the lease back if this process holds it. */
  release(signal: AbortSignal): Promise<void>;
}

/** What was last seen of another's lease, and since when it has not changed. */
interface Sighting {
  readonly version: string;
  readonly holder: string;
  readonly durationMs: Millis;
  readonly since: Millis;
}

/** Creates a claim on a lease. Expiry is judged by how long THIS process has seen the lease unchanged. */
export function createLeaseClaim(
  deps: { readonly client: ResourceClient; readonly clock: Clock },
  options: LeaseClaimOptions,
): LeaseClaim {
  const { client, clock } = deps;
  const { leaseName, namespace, identity, leaseDurationMs } = options;
  let sighting: Sighting | undefined;

  const note = (lease: Resource<'Lease'>): Sighting => {
    const { resourceVersion, uid } = lease.metadata;
    const version = `${uid}/${resourceVersion}`;
    const durationMs = Math.max(leaseDurationMs, (lease.spec.leaseDurationSeconds ?? 0) * 1_000);
    if (sighting?.version !== version) {
      sighting = { version, holder: lease.spec.holderIdentity ?? '', durationMs, since: clock.monotonic() };
    }
    return sighting;
  };
  const read = async (signal: AbortSignal): Promise<Resource<'Lease'> | undefined> => {
    const lease = await client.get('Lease', leaseName, { namespace, signal });
    // An answer that comes after the caller gave up must not be acted on: by then the caller may have begun another try,
    // and a late release would take the lease from under it. (Found by the property test.)
    signal.throwIfAborted();
    return lease;
  };
  const isFree = (seen: Sighting): boolean =>
    seen.holder === '' || seen.holder === identity || clock.monotonic() - seen.since >= seen.durationMs;

  const create = async (signal: AbortSignal): Promise<boolean> => {
    // A lease that was deleted under its holder: the holder may not know yet, so its time is waited out all the same.
    if (sighting !== undefined && !isFree(sighting)) return false;
    const now = kubernetesMicroTime(clock.now());
    const spec = { ...held(identity, leaseDurationMs, now), acquireTime: now, leaseTransitions: 0 };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: leaseName, namespace },
      spec,
    };
    return succeeded(client.create('Lease', lease, { namespace, signal }).then(note));
  };

  const take = (lease: Resource<'Lease'>, signal: AbortSignal): Promise<boolean> => {
    const now = kubernetesMicroTime(clock.now());
    const isRenewal = lease.spec.holderIdentity === identity;
    const transitions = { acquireTime: now, leaseTransitions: (lease.spec.leaseTransitions ?? 0) + 1 };
    const spec = { ...held(identity, leaseDurationMs, now), ...(isRenewal ? {} : transitions) };
    const { resourceVersion } = lease.metadata;
    return succeeded(client.patch('Lease', leaseName, { spec }, { namespace, resourceVersion, signal }).then(note));
  };

  return {
    tryAcquire: async (signal) => {
      const lease = await read(signal);
      if (lease === undefined) return create(signal);
      return isFree(note(lease)) ? take(lease, signal) : false;
    },
    release: async (signal) => {
      const lease = await read(signal);
      if (lease?.spec.holderIdentity !== identity) return;
      const { resourceVersion } = lease.metadata;
      const spec = { holderIdentity: '', renewTime: kubernetesMicroTime(clock.now()) };
      await client.patch('Lease', leaseName, { spec }, { namespace, resourceVersion, signal });
    },
  };
}

/** True when the write was the first on that version; false when another was faster. */
async function succeeded(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isAppError(error, 'conflict') || isAppError(error, 'exists') || isAppError(error, 'notFound')) return false;
    throw error;
  }
}

function held(identity: string, durationMs: Millis, now: string) {
  return { holderIdentity: identity, leaseDurationSeconds: durationMs / 1_000, renewTime: now };
}
