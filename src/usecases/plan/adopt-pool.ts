/** Reads a pool that others made, and writes it down as a plan. Nothing of the pool is changed, and nothing is stored. */
import { type AdoptionPlan, planAdoption } from '../../domain/adopt/plan-adoption.ts';
import { AppError } from '../../domain/errors.ts';
import type { PoolReader } from '../../ports/pool-reader.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';

/** A plan file that is there, or is to be. */
export interface AdoptedPlanFile {
  /** Undefined where there is no file yet. */
  readonly plan: PlanFile | undefined;
  /** The text with what was found in it; checked. @throws {AppError} invalid, with every fault */
  add(found: Pick<AdoptionPlan, 'nodes' | 'volumes'>): { readonly text: string; write(): Promise<void> };
}

export interface AdoptedPool extends AdoptionPlan {
  /** The whole plan, what was there among it. */
  readonly text: string;
  /** The file was there before. */
  readonly isAddition: boolean;
  readonly isWritten: boolean;
}

/**
 * Adopts a pool into a plan file.
 *
 * @throws {AppError} unavailable, when the pool cannot be read; precondition, when there is nothing in it that can be adopted,
 *   with the reasons; nothing is written then
 */
export async function adoptPool(
  { reader, file }: { readonly reader: PoolReader; readonly file: AdoptedPlanFile },
  { isDryRun, signal }: { readonly isDryRun: boolean; readonly signal: AbortSignal },
): Promise<AdoptedPool> {
  const found = planAdoption(await reader.read(signal), file.plan);
  if (found.volumes.length + found.known.length === 0) throw nothingToAdopt(found);
  const { text, write } = file.add(found);
  const isChange = found.nodes.length + found.volumes.length > 0;
  if (isChange && !isDryRun) await write();
  return { ...found, text, isAddition: file.plan !== undefined, isWritten: isChange && !isDryRun };
}

function nothingToAdopt({ refusals, notices }: AdoptionPlan): AppError {
  const why = refusals.length === 0 ? 'it has no volumes' : 'none of its volumes can be adopted';
  return new AppError('precondition', `there is nothing to adopt in the pool: ${why}; nothing was written`, {
    reason: 'NothingToAdopt',
    hint: notices[0] ?? 'see docs/how-to/adopt-a-pool.md',
    faults: refusals.map(({ volume, reason }) => ({ field: `volume ${volume}`, message: reason })),
  });
}
