/** The plan of what is stored, for `holdfast plan export`. */
import { type ExportedPlan, exportPlan } from '../../domain/plan/export-plan.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { readStored } from './read-stored.ts';

/** Reads what is stored and writes it as a plan. */
export async function exportStoredPlan(deps: {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}): Promise<ExportedPlan> {
  return exportPlan(await readStored(deps.client, deps.signal));
}
