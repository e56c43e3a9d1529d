/** Who may mount a volume that Kismatic's command line makes: its list, the pods, and the machines of the plan. */
import { asText, entries, field } from './draft.ts';

/** Sections of Kismatic's plan whose machines may mount every volume, beside the storage nodes. */
const ROLES = ['master', 'worker', 'ingress'] as const;

/**
 * The addresses that `-a` names, the network of the pods, and the addresses of the machines that run them.
 *
 * Storage nodes are left out: as long as the list says something their agents add them, also those that join later.
 *
 * @param plan - as read: Holdfast itself does not use Kismatic's other sections, so they are taken as they come
 */
export function kismaticAllowList(plan: unknown, asked: readonly string[]): readonly string[] {
  const root = { path: [], value: plan };
  const pods = asText(field(root, 'cluster', 'networking', 'pod_cidr_block'))?.value;
  const machines = ROLES.flatMap((role) => entries(field(root, role, 'nodes')));
  const addressOf = (node: Parameters<typeof field>[0]) =>
    asText(field(node, 'internalip'))?.value ?? asText(field(node, 'ip'))?.value ?? [];
  const list = [...asked, ...(pods === undefined ? [] : [pods]), ...machines.flatMap(addressOf)];
  return [...new Set(list)];
}
