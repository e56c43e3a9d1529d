/** From messages of CSI to what the use cases take; nothing is judged here. */
import type { AccessMode, AskedAccess } from '../../domain/csi/access.ts';
import type { CapacityRange } from '../../domain/csi/capacity.ts';
import type { Segments, TopologyWish } from '../../domain/csi/topology.ts';
import { AppError } from '../../domain/errors.ts';
import {
  type CapacityRange as CapacityRangeMessage,
  VolumeCapability_AccessMode_Mode as Mode,
  type TopologyRequirement,
  type VolumeCapability,
  type VolumeContentSource,
} from '../../gen/csi/csi.ts';
import type { VolumeOrigin } from '../../usecases/csi/create-volume.ts';

const MODES: Readonly<Record<number, string>> = {
  [Mode.SINGLE_NODE_WRITER]: 'SingleNodeWriter',
  [Mode.SINGLE_NODE_READER_ONLY]: 'SingleNodeReaderOnly',
  [Mode.MULTI_NODE_READER_ONLY]: 'MultiNodeReaderOnly',
  [Mode.MULTI_NODE_SINGLE_WRITER]: 'MultiNodeSingleWriter',
  [Mode.MULTI_NODE_MULTI_WRITER]: 'MultiNodeMultiWriter',
  [Mode.SINGLE_NODE_SINGLE_WRITER]: 'SingleNodeSingleWriter',
  [Mode.SINGLE_NODE_MULTI_WRITER]: 'SingleNodeMultiWriter',
};

/** The number of a mode on the wire, for those who call. */
export function modeNumber(mode: AccessMode): Mode {
  const found = Object.values(Mode).find((each) => MODES[each] === mode);
  return found ?? Mode.UNKNOWN;
}

/** A capability in the words of the domain. */
export function decodeAccess(capability: VolumeCapability): AskedAccess {
  const { accessMode, accessType } = capability;
  const type = accessType?.$case ?? 'none';
  const mode = MODES[accessMode?.mode ?? Mode.UNKNOWN] ?? 'unknown';
  if (accessType?.$case !== 'mount') return { type, mode, fsType: '', flags: [] };
  const { fsType, mountFlags, volumeMountGroup } = accessType.value;
  return { type, mode, fsType, flags: mountFlags, group: volumeMountGroup };
}

/** Undefined when the call has no capability. */
export function decodeOneAccess(capability: VolumeCapability | undefined): AskedAccess | undefined {
  return capability === undefined ? undefined : decodeAccess(capability);
}

/** Undefined when the call has no range. */
export function decodeRange(range: CapacityRangeMessage | undefined): CapacityRange | undefined {
  return range === undefined ? undefined : { requiredBytes: range.requiredBytes, limitBytes: range.limitBytes };
}

/** Empty lists when the call says nothing. */
export function decodeTopology(requirement: TopologyRequirement | undefined): TopologyWish {
  const segments = ({ segments: all }: { readonly segments: Segments }): Segments => all;
  return {
    requisite: (requirement?.requisite ?? []).map(segments),
    preferred: (requirement?.preferred ?? []).map(segments),
  };
}

/** @throws {AppError} invalid, for a source of a kind that there is not */
export function decodeOrigin(source: VolumeContentSource | undefined): VolumeOrigin | undefined {
  if (source === undefined) return undefined;
  const { type } = source;
  if (type?.$case === 'snapshot') return { from: 'snapshot', id: type.value.snapshotId };
  if (type?.$case === 'volume') return { from: 'volume', id: type.value.volumeId };
  throw new AppError('invalid', 'the content source is neither a snapshot nor a volume');
}
