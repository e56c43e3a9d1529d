/** The records of volumes that CSI calls published, told from those that plans made. */
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { type AccessMode, isForOneNode } from './access.ts';

/** Where an agent mounts what a call published; pods get binds of it. */
export const CSI_MOUNTS = '/var/lib/holdfast/mounts';

/** True for a record that a CSI call made. */
export function isCsiAttachment({ spec }: Pick<VolumeAttachmentRecord, 'spec'>): boolean {
  return spec.accessMode !== undefined;
}

/** Name of the record. Where one node alone may have the volume it is without the node: there can be only one of them. */
export function attachmentName(volume: string, node: string, mode: AccessMode): string {
  return isForOneNode(mode) ? `${volume}.csi` : `${volume}.csi.${node}`;
}
