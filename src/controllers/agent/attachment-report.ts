/** What an agent reports about a mount that is there. Pure. */
import type { ObservedAttachment } from '../../ports/engine.ts';
import type { VolumeAttachmentRecordStatus } from '../../schemas/volume-attachment-record.ts';

type MountReport = Pick<VolumeAttachmentRecordStatus, 'message' | 'connectedCopies' | 'copies' | 'nodesReadySince'>;

/**
 * The report of one look at a mount: how many copies it reaches, and why it does not answer when it does not. A mount that
 * is silent reaches none, whatever cannot be seen of its connections: who uses it does not go on.
 *
 * @param copies - how many the volume has
 * @param since - what the nodes were like before the look; see VolumeAttachmentRecordStatus.nodesReadySince
 */
export function describeMount(
  observed: ObservedAttachment,
  copies: number,
  since: Readonly<Record<string, string>>,
): MountReport {
  const isSilent = observed.isAnswering === false;
  const seen = observed.connections ?? (isSilent ? { connected: 0, copies } : undefined);
  return {
    ...(isSilent && observed.message !== undefined ? { message: observed.message } : {}),
    ...(seen === undefined
      ? {}
      : { connectedCopies: seen.connected, copies: seen.copies, nodesReadySince: { ...since } }),
  };
}
