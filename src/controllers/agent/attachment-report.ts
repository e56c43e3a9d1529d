/** What an agent reports about a mount that is there. Pure. */

import type { ProfileName } from '../../domain/volume/profile.ts';
import type { ObservedAttachment } from '../../ports/engine.ts';
import type { VolumeAttachmentRecordStatus } from '../../schemas/volume-attachment-record.ts';

type MountReport = Pick<
  VolumeAttachmentRecordStatus,
  'message' | 'profile' | 'connectedCopies' | 'copies' | 'nodesReadySince'
>;

/**
 * The report of one look at a mount: how many copies it reaches, and why it does not answer when it does not. A mount that
 * is silent reaches none, whatever cannot be seen of its connections: who uses it does not go on.
 *
 * @param copies - how many the volume has
 * A mount keeps the options that it was mounted with, so one that is older than the profile of its volume says so.
 *
 * @param since - what the nodes were like before the look; see VolumeAttachmentRecordStatus.nodesReadySince
 */
export function describeMount(
  observed: ObservedAttachment,
  copies: number,
  since: Readonly<Record<string, string>>,
  profile: ProfileName = 'none',
): MountReport {
  const isSilent = observed.isAnswering === false;
  const seen = observed.connections ?? (isSilent ? { connected: 0, copies } : undefined);
  return {
    ...(observed.hasProfile === true ? { profile } : {}),
    ...(observed.hasProfile === false ? { message: describeOldMount(profile) } : {}),
    ...(isSilent && observed.message !== undefined ? { message: observed.message } : {}),
    ...(seen === undefined
      ? {}
      : { connectedCopies: seen.connected, copies: seen.copies, nodesReadySince: { ...since } }),
  };
}

function describeOldMount(profile: ProfileName): string {
  const effect = profile === 'shared' ? ': what it shows may be older than what others have written' : '';
  const wanted = profile === 'none' ? 'before the volume had no profile' : `before the volume had profile ${profile}`;
  return `mounted ${wanted}${effect}; mount it anew when nobody uses it`;
}
