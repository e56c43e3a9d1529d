/** The section nfs of the plan of what is stored: each whole share once. Pure. */
import type { PlanFile } from '../../schemas/plan-file.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { mountSource } from '../nfs/share.ts';

export interface ExportedShares {
  readonly nfsVolumes: NonNullable<NonNullable<PlanFile['nfs']>['nfs_volume']>;
  /** What of the shares a plan has no words for, one sentence each. */
  readonly notices: readonly string[];
}

/** In the order of their numbers, so that they get the same names where the plan is applied anew. */
const BY_NUMBER = new Intl.Collator('en', { numeric: true });

/** Writes the shares; `volumes` are those that stay, of any engine. */
export function exportShares(
  volumes: readonly Volume[],
  attachments: readonly VolumeAttachmentRecord[],
): ExportedShares {
  const nfsVolumes: ExportedShares['nfsVolumes'] = [];
  const notices: string[] = [];
  const first = new Map<string, string>();
  const inOrder = volumes.toSorted((a, b) => BY_NUMBER.compare(a.metadata.name ?? '', b.metadata.name ?? ''));
  for (const { metadata, spec } of inOrder) {
    const { name = '' } = metadata;
    const { share } = spec;
    if (share === undefined) continue;
    const source = mountSource(share);
    if (share.subDir !== undefined) {
      notices.push(`volume ${name} is the folder ${source} of a share, which a plan does not say; it is left out`);
      continue;
    }
    const key = `${share.server.toLowerCase()}:${share.path}`;
    const other = first.get(key);
    if (other !== undefined) {
      notices.push(`volume ${name} is the same share as ${other}; a plan lists ${source} once`);
      continue;
    }
    first.set(key, name);
    nfsVolumes.push({ nfs_host: share.server, mount_path: share.path });
    const { mountOptions = [] } = share;
    if (!/^pv\d+$/.test(name)) notices.push(`volume ${name} is the share ${source}, whose name a plan does not say`);
    if (mountOptions.length > 0) {
      notices.push(`volume ${name} is mounted with ${mountOptions.join(',')}, which a plan does not say of a share`);
    }
    const mounted = attachments.filter((record) => record.spec.volume === name).map((record) => record.spec.node);
    if (mounted.length > 0) {
      notices.push(`volume ${name} is mounted on ${mounted.join(', ')}, which a plan does not say of a share`);
    }
  }
  return { nfsVolumes, notices };
}
