/** May a fence be taken away? Pure. Only when nothing of what the node had mounted before can go on writing. */
import type { FenceRecord } from '../../schemas/fence-record.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import { findCondition } from '../find-condition.ts';

export type ReleaseDecision = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Decides from what the node says itself. @param node - undefined when there is none of that name */
export function mayRelease(
  { uid, spec }: { readonly uid: string; readonly spec: FenceRecord['spec'] },
  node: StorageNode | undefined,
): ReleaseDecision {
  if (node === undefined || node.metadata.uid !== spec.nodeUid) return { ok: true };
  if (findCondition(node, 'Ready')?.status !== 'True') {
    return { ok: false, reason: `${spec.node} is not heard from: what it has mounted is not known` };
  }
  const { bootId } = node.status ?? {};
  if (bootId !== undefined && bootId !== spec.bootId) return { ok: true };
  return mayReleaseUnrestarted({ uid, spec }, node);
}

/** Of the boot that was fenced: by what its agent has seen since. */
function mayReleaseUnrestarted(
  { uid, spec }: { readonly uid: string; readonly spec: FenceRecord['spec'] },
  { status }: StorageNode,
): ReleaseDecision {
  const fence = status?.fence;
  if (fence?.record !== uid || fence.bootId !== status?.bootId) {
    return { ok: false, reason: `the agent of ${spec.node} has not said yet what is mounted there` };
  }
  const [first] = fence.mounts;
  if (first === undefined) return { ok: true };
  const others = fence.mounts.length > 1 ? ` and ${fence.mounts.length - 1} more` : '';
  return {
    ok: false,
    reason: `${spec.node} has not been restarted, and ${first}${others} is still mounted there; stop what uses it, or restart the machine`,
  };
}
