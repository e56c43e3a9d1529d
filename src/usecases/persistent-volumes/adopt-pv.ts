/** Takes over a PersistentVolume of another plugin with its data: a new one leads to the same data, for the same claim. */
import { type MoveStep, remainingSteps } from '../../domain/adopt/claim-move.ts';
import { AppError } from '../../domain/errors.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';
import { runStep } from './adopt-steps.ts';
import { type Adoption, readAdoption, stateOf } from './read-adoption.ts';

export interface AdoptPvOptions {
  /** Of the new volume; of engine nfs only. */
  readonly as?: string;
  /** The Volume that a PersistentVolume of glusterfs is, where its endpoints do not say so. */
  readonly volume?: string;
  readonly isDryRun: boolean;
  /** Once the claim has its new PersistentVolume: deletes the old one. */
  readonly isConfirmed: boolean;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** Told each step before it is taken. */
  readonly onStep?: (step: MoveStep) => void;
}

export interface AdoptedPv {
  readonly persistentVolume: string;
  readonly adoptedAs: string;
  readonly claim: string;
  /** Taken, or in a dry run those that would be. */
  readonly steps: readonly MoveStep[];
  readonly isDryRun: boolean;
  readonly isOldDeleted: boolean;
}

/** More than there are: a step that changes nothing would be taken for ever. */
const MAX_STEPS = 20;

/**
 * Adopts a PersistentVolume. Stopped anywhere, the same call does the rest.
 *
 * @throws {AppError} notFound; precondition, when it cannot be adopted or pods have it; timeout
 */
export async function adoptPv(deps: WaitDeps, name: string, options: AdoptPvOptions): Promise<AdoptedPv> {
  const steps: MoveStep[] = [];
  let adoption = await readAdoption(deps.client, name, options);
  const told = ({ old, target }: Adoption) => ({
    persistentVolume: name,
    adoptedAs: target,
    claim: `${old.claim.namespace}/${old.claim.name}`,
    isDryRun: options.isDryRun,
  });
  const first = remainingSteps(stateOf(adoption));
  if (options.isDryRun) return { ...told(adoption), steps: first, isOldDeleted: false };
  if (options.isConfirmed && first.length > 0) throw notMovedYet(name);
  for (let step = first[0]; step !== undefined; [step] = remainingSteps(stateOf(adoption))) {
    if (steps.length > MAX_STEPS) throw new AppError('internal', `adopting ${name} does not come to an end at ${step}`);
    options.onStep?.(step);
    await runStep(deps, adoption, { step, ...options });
    steps.push(step);
    adoption = await readAdoption(deps.client, name, options);
  }
  if (options.isConfirmed) {
    await deps.client.delete('PersistentVolume', name, { uid: adoption.oldUid, signal: options.signal });
  }
  return { ...told(adoption), steps, isOldDeleted: options.isConfirmed };
}

function notMovedYet(name: string): AppError {
  return new AppError('precondition', `the claim of PersistentVolume ${name} is not moved yet; nothing was deleted`, {
    ...{ resource: `persistentvolume ${name}`, reason: 'NotAdoptedYet' },
    hint: `first: holdfast adopt pv ${name}; look at the data; then confirm`,
  });
}
