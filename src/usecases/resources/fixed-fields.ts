/**
 * What cannot be changed any more in an object that is carried out already. Without this a new layout or size would be
 * stored and told to everybody, and nothing would have changed on the disks.
 */
import { isDeepStrictEqual } from 'node:util';
import { parseQuantity } from '../../domain/bytes.ts';
import type { Fault } from '../../domain/errors.ts';
import { shardBytes } from '../../domain/volume/layout-faults.ts';
import { pieceBytes } from '../../domain/volume/profile.ts';
import { fragmentsOf, replicasOf, setCount } from '../../domain/volume/replica-sets.ts';
import { VolumeSpec } from '../../schemas/volume.ts';
import { isRecord, type KubeObject } from './kube-object.ts';

const FIXED = [
  'engine',
  'layout',
  'replicas',
  'distribution',
  'disperseData',
  'redundancy',
  'shard',
  'pool',
  'brick',
  'fsType',
  'encryption',
  'thinProvision',
  'keyIsGiven',
] as const;
type FixedField = (typeof FIXED)[number];

/** Each as it is carried out: 65536Ki is 64Mi, and replicas left out are those of the layout. */
const SETTLED: Readonly<Record<FixedField, (spec: VolumeSpec) => string | number>> = {
  engine: (spec) => spec.engine,
  layout: (spec) => spec.layout,
  replicas: replicasOf,
  distribution: setCount,
  disperseData: (spec) => fragmentsOf(spec)?.data ?? 0,
  redundancy: (spec) => fragmentsOf(spec)?.redundancy ?? 0,
  shard: (spec) => shardBytes(spec.shard) ?? 0,
  pool: (spec) => spec.pool,
  brick: (spec) => spec.brick,
  fsType: (spec) => spec.fsType ?? 'xfs',
  encryption: (spec) => (spec.encryption === true ? 'it encrypted' : 'it unencrypted'),
  thinProvision: (spec) => String(spec.thinProvision ?? false),
  keyIsGiven: (spec) => String(spec.keyIsGiven ?? false),
};

/** The faults of an update; none for a volume that has no place yet, and none for other kinds. */
export function fixedFieldFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  if (before.kind === 'Task') return taskFaults(before, after);
  if (before.kind === 'VolumeSnapshotRecord' || before.kind === 'VolumeGroupSnapshotRecord') {
    return snapshotFaults(before, after);
  }
  if (before.kind === 'FenceRecord') return fenceFaults(before, after);
  if (before.kind === 'Secret') return secretFaults(before, after);
  if (before.kind !== 'Volume') return [];
  if (!isPlaced(before)) return shareFaults(before, after);
  const [was, wanted] = [VolumeSpec.safeParse(before['spec']).data, VolumeSpec.safeParse(after['spec']).data];
  if (was === undefined || wanted === undefined) return [];
  const fixed = FIXED.flatMap((field) => {
    const [old, asked] = [SETTLED[field](was), SETTLED[field](wanted)];
    if (old === asked || (isMembers(field) && isConvertible(was) && isConvertible(wanted))) return [];
    const kept = field === 'encryption' ? old : (was[field] ?? old);
    const message = `cannot be changed once the volume has its copies; this version keeps ${kept}`;
    return [{ field: `spec.${field}`, message }];
  });
  return [
    ...sizeFaults(before, wanted),
    ...fixed,
    ...profileFaults(was, wanted),
    ...sourceFaults(was, wanted),
    ...adoptedFaults(was, wanted),
  ];
}

/** What volume convert changes: how many copies there are, and whether one of them only decides. */
function isMembers(field: FixedField): boolean {
  return field === 'layout' || field === 'replicas';
}

/** Copies are added and taken out one by one, of a volume whose copies all hold everything. */
function isConvertible(spec: VolumeSpec): boolean {
  if (spec.adopted !== undefined || spec.engine === 'local') return false;
  return ['single', 'replicated', 'arbiter'].includes(spec.layout) && setCount(spec) === 1;
}

/** A growth that found no room may be taken back; what was granted has reached copies, and a file system never shrinks. */
function sizeFaults({ status, ...volume }: KubeObject, wanted: VolumeSpec): readonly Fault[] {
  const granted = isRecord(status) ? status['grantedSize'] : undefined;
  const least =
    typeof granted === 'string' ? granted : (VolumeSpec.safeParse(volume['spec']).data?.size ?? wanted.size);
  if (parseQuantity(wanted.size) >= parseQuantity(least)) return [];
  const message = `cannot become smaller than ${least}, which its copies have: their file systems grow and never shrink; make a smaller volume and copy the data`;
  return [{ field: 'spec.size', message }];
}

/** Files that are in pieces can only be read in pieces, and those that are whole only whole. */
function profileFaults(was: VolumeSpec, wanted: VolumeSpec): readonly Fault[] {
  if (was.profile === wanted.profile || pieceBytes(was) === pieceBytes(wanted)) return [];
  const why = 'cuts files into pieces, which only holds from the creation of a volume on';
  const message =
    wanted.profile === 'large-files'
      ? `large-files ${why}; make a volume with it and copy the data`
      : `large-files ${why} and for ever; its files could not be read any more`;
  return [{ field: 'spec.profile', message }];
}

/** What its copies began with is in them already. */
function sourceFaults(was: VolumeSpec, wanted: VolumeSpec): readonly Fault[] {
  if (isDeepStrictEqual(was.source, wanted.source)) return [];
  return [{ field: 'spec.source', message: 'cannot be changed once the volume has its copies; make another clone' }];
}

/** What it is made of, and who it is; what is to become of its options and of its end may be said at any time. */
function adoptedFaults(was: VolumeSpec, wanted: VolumeSpec): readonly Fault[] {
  const fixed = ({ adopted }: VolumeSpec) => {
    if (adopted === undefined) return undefined;
    const { takesOptions: _options, isRemovedFromEngine: _removed, ...rest } = adopted;
    return rest;
  };
  if (isDeepStrictEqual(fixed(was), fixed(wanted))) return [];
  const message = 'cannot be changed once the volume has its copies; forget the volume and adopt it anew';
  return [{ field: 'spec.adopted', message }];
}

/** From the first look of an agent on: what it has made in the old place would be left behind. */
function shareFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  const { status } = before;
  if (!isRecord(status) || status['anchor'] === undefined) return [];
  const [was, wanted] = [VolumeSpec.safeParse(before['spec']).data, VolumeSpec.safeParse(after['spec']).data];
  if (was?.share === undefined || wanted === undefined) return [];
  const message = 'cannot be changed once an agent knows it; make another volume';
  return [
    ...(was.engine === wanted.engine ? [] : [{ field: 'spec.engine', message }]),
    ...(isDeepStrictEqual(was.share, wanted.share) ? [] : [{ field: 'spec.share', message }]),
    ...(was.size === wanted.size
      ? []
      : [{ field: 'spec.size', message: 'is enforced by nobody: no file server knows it' }]),
  ];
}

/** A snapshot is of one moment of its volume, or volumes. */
function snapshotFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  if (isDeepStrictEqual(before['spec'], after['spec'])) return [];
  return [{ field: 'spec', message: 'cannot be changed; take another snapshot' }];
}

/** What is proven is proven of these addresses and this boot. */
function fenceFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  if (isDeepStrictEqual(before['spec'], after['spec'])) return [];
  return [{ field: 'spec', message: 'cannot be changed; unfence the node, and fence it anew' }];
}

/** As in Kubernetes; it never repeats what is there. */
function secretFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  if (before['immutable'] !== true) return [];
  const isSame = isDeepStrictEqual(before['data'], after['data']) && after['immutable'] === true;
  return isSame ? [] : [{ field: 'data', message: 'cannot be changed: the Secret is immutable' }];
}

/** A Task is one piece of work: it can be stopped, not turned into another. */
function taskFaults(before: KubeObject, after: KubeObject): readonly Fault[] {
  const work = (object: KubeObject) => {
    const { isCancelled: _cancelled, ...rest } = isRecord(object['spec']) ? object['spec'] : {};
    return rest;
  };
  const isCancelled = (object: KubeObject) => isRecord(object['spec']) && object['spec']['isCancelled'] === true;
  if (isDeepStrictEqual(work(before), work(after)) && (!isCancelled(before) || isCancelled(after))) return [];
  return [{ field: 'spec', message: 'cannot be changed; create another Task. Only isCancelled can be set, once' }];
}

function isPlaced({ status }: KubeObject): boolean {
  const placement = isRecord(status) ? status['placement'] : undefined;
  return Array.isArray(placement) && placement.length > 0;
}
