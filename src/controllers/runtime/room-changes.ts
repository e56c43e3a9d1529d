/** Which news of a node tell of the room in its pools only: every copy that is made or removed anywhere is such a piece of news. */
import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '../../ports/resource-client.ts';

type StoredNode = Resource<'StorageNode'>;

/**
 * True when nothing but the bytes in its pools is another. For loops that look after what is there: told of all that, each of
 * a hundred volumes was asked about anew with every copy of every other.
 */
export function isOfRoomOnly({ before, after }: { readonly before: StoredNode; readonly after: StoredNode }): boolean {
  return isDeepStrictEqual(withoutRoom(before), withoutRoom(after));
}

function withoutRoom({ metadata, spec, status }: StoredNode): unknown {
  const { uid, deletionTimestamp, labels, annotations } = metadata;
  const { pools, observedGeneration: _seen, ...rest } = status ?? {};
  const steady = pools?.map(({ freeBytes: _free, copyBytes: _taken, ...pool }) => pool);
  return { uid, deletionTimestamp, labels, annotations, spec, rest, pools: steady };
}
