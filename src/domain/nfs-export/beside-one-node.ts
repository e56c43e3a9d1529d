/** A claim promises that one node alone writes; an NFS export lets other machines write. A volume has one or the other. Pure. */
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { type AccessMode, isForOneNode, isReadingOnly } from '../csi/access.ts';
import { AppError } from '../errors.ts';
import { isExport } from './names.ts';

type SeenRecord = Pick<VolumeAttachmentRecord, 'spec'>;

/**
 * For whoever publishes a volume. One that is just ending counts: its clients may still write.
 *
 * @throws {AppError} precondition, when the mode is for one writing node and others write through an export
 */
export function assertNotExported(records: readonly SeenRecord[], volume: string, mode: AccessMode): void {
  if (!isOneWriter(mode)) return;
  const found = records.find((each) => each.spec.volume === volume && isExport(each) && !each.spec.isReadOnly);
  if (found === undefined) return;
  throw new AppError(
    'precondition',
    `volume ${volume} is exported by NFS on ${found.spec.node}, so not one node alone writes to it`,
    {
      resource: `volume ${volume}`,
      reason: 'ExportedForWriting',
      hint: `end that with "holdfast volume unexport ${volume}", export it --read-only, or claim it ReadWriteMany`,
    },
  );
}

/** For whoever exports it so that clients can write: why that cannot be; undefined when it can. */
export function oneWriterFault(records: readonly SeenRecord[], volume: string): string | undefined {
  const found = records.find(
    ({ spec }) => spec.volume === volume && spec.accessMode !== undefined && isOneWriter(spec.accessMode),
  );
  if (found === undefined) return undefined;
  return `a claim has volume ${volume} on ${found.spec.node} so that this node alone writes to it (${found.spec.accessMode})`;
}

/** What to do about it. */
export const ONE_WRITER_HINT =
  'export it read-only, claim it ReadWriteMany, or wait until the pods that use it have gone';

const isOneWriter = (mode: AccessMode): boolean => isForOneNode(mode) && !isReadingOnly(mode);
