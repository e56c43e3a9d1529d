/** Machines of a plan whose agents call themselves by the whole host name, as those of a Kubernetes with such names do. */
import type { ResolvedPlan } from './resolve-plan.ts';

/**
 * The plan with the names that its machines are registered by: the whole host name where there is a node of that name and
 * none of its first label, else the first label.
 *
 * @param registered - names of the nodes that there are
 */
export function nameAsRegistered(plan: ResolvedPlan, registered: ReadonlySet<string>): ResolvedPlan {
  const whole = new Map<string, string>();
  for (const { name, host } of plan.nodes) {
    const full = host.toLowerCase();
    if (registered.has(full) && !registered.has(name)) whole.set(name, full);
  }
  if (whole.size === 0) return plan;
  const named = (name: string): string => whole.get(name) ?? name;
  return {
    ...plan,
    nodes: plan.nodes.map((node) => ({ ...node, name: named(node.name) })),
    volumes: plan.volumes.map((volume) => ({
      ...volume,
      ...(volume.nodes === undefined ? {} : { nodes: volume.nodes.map(named) }),
      mounts: volume.mounts.map((mount) => ({ ...mount, node: named(mount.node) })),
      ...(volume.exports === undefined
        ? {}
        : { exports: volume.exports.map((each) => ({ ...each, node: named(each.node) })) }),
    })),
  };
}
