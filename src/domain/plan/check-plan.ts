/** Every rule over a whole plan, on checked or unchecked data alike. */
import { checkController } from './controller-rule.ts';
import type { PlanFault } from './fault.ts';
import { checkNetworks } from './network-rule.ts';
import { checkNfsExports } from './nfs-export-rule.ts';
import { checkNodes } from './node-rules.ts';
import { checkVolumes } from './volume-rules.ts';

/**
 * All faults that show only when parts of a plan are compared.
 *
 * @param plan - the plan as written, which may also be wrong field by field
 */
export function checkPlan(plan: unknown): readonly PlanFault[] {
  const rules = [checkNodes, checkVolumes, checkNfsExports, checkController, checkNetworks];
  return rules.flatMap((check) => check(plan));
}
