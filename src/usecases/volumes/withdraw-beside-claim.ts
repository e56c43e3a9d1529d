/** Takes back what lets others write, where a claim for one writing node was granted at the same time. */
import { isAppError } from '../../domain/errors.ts';
import { oneWriterFault } from '../../domain/nfs-export/beside-one-node.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';

type StoredRecord = Resource<'VolumeAttachmentRecord'>;

/** A record that was just written. */
export interface WrittenRecord {
  readonly now: StoredRecord;
  /** What it was; undefined for one that was made. */
  readonly before?: StoredRecord | undefined;
}

/** The agent of its node writes the status meanwhile, which moves the version, at most so often. */
const MAX_STATUS_RACES = 20;

/**
 * To be called after the records were written. Whoever asked for what cannot be had is refused and leaves nothing behind: else a
 * record that was never served would stand in the way of later claims, or hold by itself between two pods of that claim. (One
 * whose asker died before this stays, not served while the claim is there; see beside-one-node.ts.)
 *
 * @returns why, for each record that was taken back
 */
export async function withdrawBesideClaim(
  client: ResourceClient,
  written: readonly WrittenRecord[],
  scope: { readonly signal?: AbortSignal },
): Promise<readonly { readonly record: StoredRecord; readonly fault: string }[]> {
  const writing = written.filter(({ now }) => !now.spec.isReadOnly);
  if (writing.length === 0) return [];
  const { items } = await client.list('VolumeAttachmentRecord', scope);
  const refused = writing.flatMap((each) => {
    const { spec } = each.now;
    const fault = oneWriterFault(items, spec.volume, isExport(each.now) ? undefined : spec.node);
    return fault === undefined ? [] : [{ ...each, record: each.now, fault }];
  });
  // Not to be cut short by whoever asked: half of it would be what this is there to prevent.
  for (const each of refused) await takeBack(client, each);
  return refused.map(({ record, fault }) => ({ record, fault }));
}

/** Terms go back only where they are still as they were written: somebody else may have changed them since. */
async function takeBack(client: ResourceClient, { now, before }: WrittenRecord): Promise<void> {
  const { name, uid, generation } = now.metadata;
  if (before === undefined) return client.delete('VolumeAttachmentRecord', name, { uid });
  let { resourceVersion } = now.metadata;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.patch('VolumeAttachmentRecord', name, { spec: before.spec }, { uid, resourceVersion });
      return;
    } catch (error) {
      if (isAppError(error, 'notFound')) return;
      if (!isAppError(error, 'conflict') || attempt === MAX_STATUS_RACES) throw error;
      const seen = await client.get('VolumeAttachmentRecord', name);
      if (seen?.metadata.uid !== uid || seen.metadata.generation !== generation) return;
      ({ resourceVersion } = seen.metadata);
    }
  }
}
