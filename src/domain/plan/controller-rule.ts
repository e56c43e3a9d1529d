/** The controller runs on a machine of the plan. */
import { asText, draftNodes, field } from './draft.ts';
import type { PlanFault } from './fault.ts';

/** Checks the key controller. */
export function checkController(plan: unknown): readonly PlanFault[] {
  const controller = asText(field({ path: [], value: plan }, 'controller'));
  if (controller === undefined) return [];
  const hosts = draftNodes(plan).flatMap((node) => asText(field(node, 'host'))?.value ?? []);
  if (hosts.some((host) => host.toLowerCase() === controller.value.toLowerCase())) return [];
  return [
    {
      path: controller.path,
      at: 'value',
      message: `${controller.value} is no host of this plan`,
      fix: `write one of ${hosts.slice(0, 5).join(', ')}, or leave controller out for the first`,
    },
  ];
}
