/**
 * Whether a person may say that the folder which is now at the place of a volume's is the volume's own. Pure.
 *
 * Invariant: while somebody has the folder of before mounted, no other becomes the volume's: two nodes would write to two folders, and
 * take them for one.
 */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { AppError } from '../errors.ts';
import { isOwned, type OnDelete } from './share.ts';

interface Seen {
  readonly volume: Pick<Volume, 'spec' | 'status'> & { readonly metadata: { readonly name: string } };
  readonly records: readonly Pick<VolumeAttachmentRecord, 'spec' | 'status'>[];
}

/** @throws {AppError} unsupported, for a volume without a folder of its own in a share; precondition, when it never had one, or it is mounted */
export function assertMayAccept({ volume: { metadata, spec, status }, records }: Seen): void {
  const { name } = metadata;
  const resource = `volume ${name}`;
  if (spec.engine !== 'nfs' || spec.share === undefined) {
    throw new AppError('unsupported', `${resource} is of engine ${spec.engine}; only a folder of a share is accepted`, {
      ...{ resource, reason: 'EngineMismatch' },
    });
  }
  assertOwned(name, spec.share);
  if (status?.engine?.engineId === undefined) {
    throw new AppError('precondition', `${resource} never had a folder that could be there again`, {
      ...{ resource, reason: 'NeverServed' },
      hint: 'a folder that was there before is used with onDelete retain: delete the volume, and add it so',
    });
  }
  const user = records.find((record) => record.spec.volume === name && isMounted(record));
  if (user === undefined) return;
  const { mountPath, node } = user.spec;
  throw new AppError('precondition', `${resource} is mounted at ${mountPath} on ${node}, with the folder of before`, {
    ...{ resource, reason: 'Mounted' },
    hint: `stop what uses it, and wait until ${node} has said that it is unmounted; see: holdfast volume show ${name}`,
  });
}

/** @throws {AppError} unsupported, for a volume that is a whole share, or whose folder is left when it goes: no mark tells whose that is */
export function assertOwned<
  S extends { readonly subDir?: string | undefined; readonly onDelete?: OnDelete | undefined },
>(volume: string, share: S): asserts share is S & { readonly subDir: string } {
  if (isOwned(share)) return;
  const resource = `volume ${volume}`;
  const what = share.subDir === undefined ? 'is a whole share' : 'retains its folder';
  throw new AppError(
    'unsupported',
    `${resource} ${what}: whatever is at its place is used, nothing is to be accepted`,
    {
      ...{ resource, reason: 'FolderNotMarked', hint: `see why it cannot be used: holdfast explain volume ${volume}` },
    },
  );
}

/** What its node last said counts, also of a node that is away: it may still write. */
function isMounted({ status }: Seen['records'][number]): boolean {
  return status?.state === 'Mounted' || status?.state === 'Unmounting';
}
