/** A Task with the volume and the nodes that it is about, from the informers. */
import { findCondition } from '../../domain/find-condition.ts';
import type { TaskNode, TaskVolume } from '../../domain/task/sum-up-task.ts';
import { type FindCopy, heldCopies } from '../../domain/volume/held-copies.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { Informers } from '../deps.ts';

/** Looks a copy up among the stored ones. */
export function findCopy({ VolumeCopy }: Pick<Informers, 'VolumeCopy'>): FindCopy {
  return (name) => {
    const found = VolumeCopy.get(name);
    return found === undefined ? undefined : { node: found.spec.node, path: found.status?.path };
  };
}

/** What of a volume matters to a Task. */
export function seeTaskVolume(volume: Resource<'Volume'>, informers: Pick<Informers, 'VolumeCopy'>): TaskVolume {
  const held = heldCopies(volume.status ?? {}, findCopy(informers));
  return {
    uid: volume.metadata.uid,
    isDeleting: volume.metadata.deletionTimestamp !== undefined,
    anchor: volume.status?.anchor,
    dataNodes: [...new Set(held.map(({ node }) => node))],
  };
}

/** Whether a node is there, and since when. */
export function seeTaskNode(informers: Pick<Informers, 'StorageNode'>, name: string): TaskNode | undefined {
  const node = informers.StorageNode.get(name);
  if (node === undefined) return undefined;
  const ready = findCondition(node, 'Ready');
  return {
    isReady: ready?.status === 'True',
    since: Date.parse(ready?.lastTransitionTime ?? node.metadata.creationTimestamp),
  };
}
