/** Refuses to give up what nothing can be filled from: the volumes have to be deleted first, in so many words. */
import { AppError } from '../../domain/errors.ts';
import { adoptedStays } from '../../domain/volume/foresee-moves.ts';
import { onlyCopies } from '../../domain/volume/given-up.ts';
import type { Resource } from '../../ports/resource-client.ts';

type StoredCopy = Resource<'VolumeCopy'>;

/** @throws {AppError} precondition, where no new copies can take the places of these; names each volume */
export function assertReplaceable(copies: readonly StoredCopy[], volumes: readonly Resource<'Volume'>[]): void {
  const adopted = copies.filter(({ spec }) => spec.adopted !== undefined);
  const alone = onlyCopies(
    copies.filter(({ spec }) => spec.adopted === undefined),
    volumes,
  );
  const isDeleted = ({ spec }: StoredCopy) =>
    volumes.some(({ metadata }) => metadata.uid === spec.volumeUid && metadata.deletionTimestamp !== undefined);
  const kept = alone.filter((copy) => !isDeleted(copy));
  if (kept.length > 0) throw areLost(kept);
  if (alone.length > 0) throw haveOtherParts(alone);
  if (adopted.length === 0) return;
  const names = namesOf(adopted);
  throw new AppError('precondition', `adopted volumes cannot get new copies: ${names}; nothing was changed`, {
    reason: 'AdoptedCopiesStay',
    hint: 'see docs/how-to/adopt-a-pool.md',
    faults: adopted.map((copy) => ({ field: copy.spec.volume, message: adoptedStays(copy) })),
  });
}

function areLost(copies: readonly StoredCopy[]): AppError {
  const names = namesOf(copies);
  return new AppError('precondition', `no other copy can fill new ones of ${names}; nothing was changed`, {
    reason: 'OnlyCopiesLost',
    hint: `if what they held is lost, delete them first, then repeat the command: holdfast volume delete ${copies[0]?.spec.volume ?? 'NAME'}`,
    faults: copies.map(({ spec }) => ({
      field: spec.volume,
      message: `its only copy${spec.engine === 'local' ? '' : ' of all or a part of the files'} was on ${spec.node}`,
    })),
  });
}

/** GlusterFS neither deletes a volume with a machine away nor lets go of a machine that a volume has parts beside. */
function haveOtherParts(copies: readonly StoredCopy[]): AppError {
  const node = copies[0]?.spec.node ?? 'NODE';
  const names = namesOf(copies);
  return new AppError('precondition', `${names} cannot end with ${node}, having parts elsewhere; nothing was changed`, {
    reason: 'PartsElsewhere',
    hint: `what was deleted goes as soon as ${node} can be told: bring it back, or install a machine anew under its name, and then: holdfast node rejoin ${node} --force`,
  });
}

function namesOf(copies: readonly StoredCopy[]): string {
  return [...new Set(copies.map(({ spec }) => spec.volume))].join(', ');
}
