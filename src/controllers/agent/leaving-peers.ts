/** Which machines the engine's own cluster is to let go of: members once, and nothing of Holdfast is on them any more. */

import type { Resource } from '../../ports/resource-client.ts';
import type { Volume } from '../../schemas/volume.ts';

type StoredCluster = Resource<'StorageCluster'>;

/** What may still be on a node. */
export interface Holdings {
  readonly volumes: readonly Volume[];
  readonly copies: readonly Resource<'VolumeCopy'>[];
  readonly attachments: readonly Resource<'VolumeAttachmentRecord'>[];
}

/**
 * Names that an anchor has seen among the engine's peers, and that the cluster does not list any more. A peer that was never
 * a member of the cluster is somebody else's and never among them.
 */
export function formerMembers({ spec, status }: StoredCluster): string[] {
  const { observedBy, connected = [], disconnected = [], ids = {}, leaving = [] } = status?.peers ?? {};
  const seen = new Set([...connected, ...disconnected, ...Object.keys(ids), ...leaving]);
  if (observedBy !== undefined) seen.add(observedBy);
  return [...seen].filter((node) => !spec.nodes.includes(node)).toSorted();
}

/** Those of them that no placement names, and no copy or mount is recorded on. */
export function withoutHoldings(nodes: readonly string[], held: Holdings): readonly string[] {
  const inUse = new Set([
    ...held.volumes.flatMap(({ status }) =>
      [...(status?.placement ?? []), ...(status?.restore?.placement ?? [])].map((placed) => placed.node),
    ),
    ...held.copies.map(({ spec }) => spec.node),
    ...held.attachments.map(({ spec }) => spec.node),
  ]);
  return nodes.filter((node) => !inUse.has(node));
}
