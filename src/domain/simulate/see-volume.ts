/** Stored objects as `decideVolume` wants to see them, so that a question is answered by the controller's own judgement. */
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { usableSince } from '../node/is-usable.ts';
import { choosePlacement } from '../placement/choose-placement.ts';
import { placementInput } from '../placement/from-resources.ts';
import type { PlacedOn, PlacementResult } from '../placement/model.ts';
import { seeShare } from '../volume/decide-share.ts';
import type { SeenAttachment, SeenVolume } from '../volume/decide-volume.ts';
import { plannedCopy, unrecordedCopies } from '../volume/promised-copies.ts';
import type { StoredCluster } from './stored-cluster.ts';

/** One volume with all that the controller looks at when it decides about it. */
export function seeVolume(stored: StoredCluster, volume: Volume): SeenVolume {
  const { name = '', uid = '' } = volume.metadata;
  return {
    name,
    uid,
    isDeleting: volume.metadata.deletionTimestamp !== undefined,
    spec: volume.spec,
    share: seeShare(volume.spec),
    status: volume.status ?? {},
    copies: copiesOfVolume(stored, volume).map(({ metadata, spec, status }) => ({
      name: metadata.name ?? '',
      node: spec.node,
      isReady: status?.state === 'Ready',
      isReleased: spec.isReleased === true && metadata.deletionTimestamp !== undefined,
      ...(status?.message === undefined ? {} : { message: status.message }),
    })),
    attachments: stored.attachments.filter(({ spec }) => spec.volume === name).map(seeAttachment),
    usableNodes: usableSince(stored.nodes, volume.spec.engine),
    place: () => {
      const result = placeVolume(stored, volume);
      if (!result.ok) return { ok: false, message: result.message, reasons: result.reasons };
      const placement = result.placed.map((placed) => ({ copy: `${name}-${placed.index}`, ...placed }));
      return { ok: true, placement, reasons: result.reasons };
    },
  };
}

/** The recorded copies of this very volume, not of an earlier one of the same name; in the engine's order. */
export function copiesOfVolume(stored: StoredCluster, volume: Volume): readonly VolumeCopy[] {
  const { name, uid } = volume.metadata;
  return stored.copies
    .filter(({ spec }) => spec.volume === name && spec.volumeUid === uid)
    .toSorted((a, b) => a.spec.index - b.spec.index);
}

/** Where the copies that a volume still lacks would go now, beside all that is placed or promised. */
export function placeVolume(stored: StoredCluster, volume: Volume): PlacementResult {
  const { name = '', uid = '' } = volume.metadata;
  return choosePlacement(placementInput({ name, uid, spec: volume.spec }, stored.nodes, promisedCopies(stored)));
}

/** All copies: those recorded, and those that a stored placement promises but that are not recorded yet. */
export function promisedCopies({ volumes, copies }: StoredCluster): readonly VolumeCopy[] {
  return [...copies, ...unrecordedCopies(volumes, copies)];
}

/** A copy as it would be recorded for a place that is only thought of. */
export function imaginedCopy(volume: Volume, placed: PlacedOn): VolumeCopy {
  return plannedCopy(volume, { ...placed, copy: `${volume.metadata.name}-${placed.index}-planned` });
}

function seeAttachment({ spec, status }: VolumeAttachmentRecord): SeenAttachment {
  const { state, copies, connectedCopies, nodesReadySince = {} } = status ?? {};
  // What a mount that is not there reaches says nothing about the copies.
  if (state !== 'Mounted' || copies === undefined || connectedCopies === undefined) return { node: spec.node };
  return { node: spec.node, missingCopies: copies - connectedCopies, nodesReadySince };
}
