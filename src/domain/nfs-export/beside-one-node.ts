/**
 * A claim promises that one node alone writes; an NFS export lets other machines write, and so does a mount that a plan wants on
 * another node. A volume has one or the other. Pure.
 *
 * Invariant: both never hold at once. Whoever publishes for one node writes his record, then looks for others, and withdraws it
 * where there are some; so does whoever asks for an export or a mount. So of any two at least one sees the other, and whoever was
 * refused leaves nothing behind that would hold, or be in the way, later. An agent looks as well, after the record of the other
 * was written and before it serves or mounts that: its asker may have died, or have written it by hand.
 */
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { type AccessMode, isForOneNode, isReadingOnly } from '../csi/access.ts';
import { AppError } from '../errors.ts';
import { isExport } from './names.ts';

type SeenRecord = Pick<VolumeAttachmentRecord, 'spec'>;

/**
 * For whoever publishes a volume. One that is just ending counts: its clients may still write.
 *
 * @throws {AppError} precondition, when the mode is for one writing node and others write through an export or a mount
 */
export function assertOneWriter(
  records: readonly SeenRecord[],
  { volume, node, mode }: { readonly volume: string; readonly node: string; readonly mode: AccessMode },
): void {
  if (!isOneWriter(mode)) return;
  const own = records.filter(({ spec }) => spec.volume === volume && !spec.isReadOnly);
  const exported = own.find(isExport);
  if (exported !== undefined) {
    throw new AppError(
      'precondition',
      `volume ${volume} is exported by NFS on ${exported.spec.node}, so not one node alone writes to it`,
      {
        resource: `volume ${volume}`,
        reason: 'ExportedForWriting',
        hint: `end that with "holdfast volume unexport ${volume}", export it --read-only, or claim it ReadWriteMany`,
      },
    );
  }
  const mounted = own.find((record) => isByHand(record) && isBeside(record, { node, mode }));
  if (mounted === undefined) return;
  const alone = mode === 'SingleNodeSingleWriter' ? 'one pod' : 'one node';
  throw new AppError(
    'precondition',
    `volume ${volume} is mounted at ${mounted.spec.mountPath} on ${mounted.spec.node}, so not ${alone} alone writes to it`,
    {
      resource: `volume ${volume}`,
      reason: 'MountedForWriting',
      hint: 'take that mount out of the plan and delete its VolumeAttachmentRecord, or claim the volume ReadWriteMany',
    },
  );
}

/**
 * For whoever lets others write: why that cannot be; undefined when it can.
 *
 * @param mountedOn - the node of a mount; none for an export, whose clients are anywhere
 */
export function oneWriterFault(records: readonly SeenRecord[], volume: string, mountedOn?: string): string | undefined {
  const found = records.find(({ spec }) => {
    const { accessMode: mode } = spec;
    if (spec.volume !== volume || mode === undefined || !isOneWriter(mode)) return false;
    return mountedOn === undefined || isBeside({ spec: { node: mountedOn } }, { node: spec.node, mode });
  });
  if (found === undefined) return undefined;
  return `a claim has volume ${volume} on ${found.spec.node} so that this node alone writes to it (${found.spec.accessMode})`;
}

/** What to do about it. */
export const ONE_WRITER_HINT =
  'export it read-only, claim it ReadWriteMany, or wait until the pods that use it have gone';
/** The same, of a mount. */
export const ONE_WRITER_MOUNT_HINT = 'claim it ReadWriteMany, or wait until the pods that use it have gone';

/** A mount that no CSI call asked for. */
export function isByHand(record: SeenRecord): boolean {
  return record.spec.accessMode === undefined && !isExport(record);
}

/** A mount on the very node of the claim is no other node, and yet another than the one pod that has it alone. */
function isBeside(
  mount: { readonly spec: { readonly node: string } },
  claim: { readonly node: string; readonly mode: AccessMode },
): boolean {
  return mount.spec.node !== claim.node || claim.mode === 'SingleNodeSingleWriter';
}

const isOneWriter = (mode: AccessMode): boolean => isForOneNode(mode) && !isReadingOnly(mode);
