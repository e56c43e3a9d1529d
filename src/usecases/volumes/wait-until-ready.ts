/** Waits until a stored volume can be used, or until it is known why it cannot. */
import { AppError } from '../../domain/errors.ts';
import { isBlocked, phaseOf, stateMessage } from '../../domain/volume/describe-volume.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';

export interface ReadyOptions {
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Told each state in which the volume is seen. */
  readonly onSeen?: (volume: Resource<'Volume'>) => void;
}

/**
 * Resolves with the volume once it is ready.
 *
 * @throws {AppError} capacity, when placement finds no place; notFound, when it is deleted; timeout
 */
export async function waitUntilReady(
  deps: WaitDeps,
  volume: Resource<'Volume'>,
  options: ReadyOptions,
): Promise<Resource<'Volume'>> {
  const { name, uid } = volume.metadata;
  return waitForObject(deps, {
    kind: 'Volume',
    name,
    timeoutMs: options.waitMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    check: (seen) => {
      if (seen === undefined || seen.metadata.uid !== uid) throw goneMeanwhile(name);
      options.onSeen?.(seen);
      if (isBlocked(seen)) throw blocked(seen);
      return phaseOf(seen) === 'Ready' ? seen : undefined;
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `volume ${name} is stored but not ready after ${options.waitMs / 1000} s: ${seen === undefined ? 'it was not seen' : stateMessage(seen)}`,
        {
          resource: `volume ${name}`,
          reason: 'NotReadyInTime',
          hint: `it goes on by itself; see: holdfast volume show ${name}`,
        },
      ),
  });
}

function blocked(volume: Resource<'Volume'>): AppError {
  const { name } = volume.metadata;
  const [, ...reasons] = volume.status?.reasons ?? [];
  return new AppError('capacity', `volume ${name} is stored but finds no place: ${stateMessage(volume)}`, {
    resource: `volume ${name}`,
    reason: 'NoPlaceForCopies',
    hint: `it is placed as soon as there is room; or: holdfast volume delete ${name}`,
    faults: reasons.map((message) => ({ field: 'placement', message })),
  });
}

function goneMeanwhile(name: string): AppError {
  return new AppError('notFound', `volume ${name} was deleted by somebody else before it was ready`, {
    resource: `volume ${name}`,
  });
}
