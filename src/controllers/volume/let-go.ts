/** Ends the wait for agents that never come: copies that are released, on nodes that are no longer nodes. */
import { isAppError } from '../../domain/errors.ts';
import { COPY_FINALIZER } from '../../domain/finalizers.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';

/**
 * Removes the finalizer of copies that nothing needs, whose data would have been erased by a node that is gone for good.
 * Only with its StorageNode removed (`holdfast node replace`): a node that is merely away erases them when it is back.
 */
export async function letGo(
  { client }: Pick<ControllerDeps, 'client'>,
  copies: readonly Resource<'VolumeCopy'>[],
  signal: AbortSignal,
): Promise<void> {
  for (const { metadata, spec } of copies) {
    const { finalizers: held = [], deletionTimestamp } = metadata;
    if (deletionTimestamp === undefined || spec.isReleased !== true || !held.includes(COPY_FINALIZER)) continue;
    // Asked of the API: a node that was registered just now may not be in the cache yet.
    if ((await client.get('StorageNode', spec.node, { signal })) !== undefined) continue;
    const finalizers = held.filter((finalizer) => finalizer !== COPY_FINALIZER);
    try {
      const { name, uid } = metadata;
      await client.patch('VolumeCopy', name, { metadata: { finalizers } }, { uid, signal });
    } catch (error) {
      if (!isAppError(error, 'notFound')) throw error; // gone is what was wanted
    }
  }
}
