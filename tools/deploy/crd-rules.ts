/** What the schemas check by code, in CEL: what of a spec goes together, and what cannot be changed any more. */
import type { KindName } from '../../src/schemas/kinds.ts';
import type { CelRule } from './crd-schema.ts';

export interface KindRules {
  /** `self` is the spec. */
  readonly spec?: readonly CelRule[];
  /** `self` is the object, `oldSelf` what is stored; only on updates. */
  readonly change?: readonly CelRule[];
}

const rule = (field: string, text: string, message: string): CelRule => ({
  rule: text,
  message,
  fieldPath: `.${field}`,
});
const isDispersed = "self.layout in ['dispersed', 'distributed-dispersed']";
const hasReplicas = "self.layout in ['replicated', 'distributed-replicated']";

/** As domain/volume/layout-faults.ts. */
const LAYOUT: readonly CelRule[] = [
  rule(
    'replicas',
    "!has(self.replicas) || !(self.layout in ['single', 'distributed']) || self.replicas == 1",
    'must be 1 for layout single or distributed',
  ),
  rule(
    'replicas',
    `!has(self.replicas) || !(${isDispersed})`,
    'does not go with a dispersed layout: say disperseData and redundancy',
  ),
  rule(
    'replicas',
    "!has(self.replicas) || self.layout != 'arbiter' || self.replicas == 2",
    'must be 2 for layout arbiter (two copies hold data, a third decides)',
  ),
  rule(
    'replicas',
    `!has(self.replicas) || !(${hasReplicas}) || self.replicas >= 2`,
    'must be at least 2 for a replicated layout; for 1, use layout single or distributed',
  ),
  rule(
    'replicas',
    `!has(self.replicas) || !(${hasReplicas}) || self.replicas != 2 || (has(self.allowSplitBrain) && self.allowSplitBrain)`,
    '2 plain replicas can diverge (split brain); use layout arbiter, 3 replicas, or set allowSplitBrain: true',
  ),
  rule(
    'distribution',
    "!has(self.distribution) || self.distribution == 1 || self.layout == 'arbiter' || self.layout.startsWith('distributed')",
    'must be 1 for this layout; use the distributed form of it',
  ),
  rule(
    'distribution',
    "!self.layout.startsWith('distributed') || (has(self.distribution) && self.distribution >= 2)",
    'must be at least 2 for a distributed layout',
  ),
  rule(
    'disperseData',
    `!has(self.disperseData) || ${isDispersed}`,
    'goes with layout dispersed or distributed-dispersed',
  ),
  rule('redundancy', `!has(self.redundancy) || ${isDispersed}`, 'goes with layout dispersed or distributed-dispersed'),
  rule(
    'redundancy',
    `!(${isDispersed}) || (has(self.redundancy) ? self.redundancy : 1) < (has(self.disperseData) ? self.disperseData : 2)`,
    'must be less than disperseData, or two halves could each go on alone',
  ),
];

/** As domain/volume/engines.ts, without shard, which CEL does not see. */
const ENGINE: readonly CelRule[] = [
  rule(
    'share',
    "self.engine == 'nfs' ? has(self.share) : !has(self.share)",
    'goes with engine nfs, which needs it: a server and what it exports',
  ),
  rule(
    'layout',
    "self.engine == 'gluster' || self.layout == 'single'",
    'must be single for engine local or nfs; any other needs engine gluster',
  ),
  rule(
    'brick',
    "self.engine != 'nfs' || self.brick == 'image'",
    'does not go with engine nfs: the file server decides how it keeps the data',
  ),
  rule('brick', "self.engine == 'local' || self.brick != 'block'", 'block goes with engine local only'),
  rule('fsType', "self.engine == 'local' || !has(self.fsType)", 'goes with engine local only'),
  rule('fsType', "!has(self.fsType) || self.brick == 'image'", 'goes with brick image only'),
  rule('profile', "self.engine == 'gluster' || !has(self.profile)", 'goes with engine gluster only'),
  rule(
    'allowFrom',
    "self.engine == 'gluster' || !has(self.allowFrom) || size(self.allowFrom) == 0",
    'goes with engine gluster only',
  ),
  rule('adopted', "self.engine == 'gluster' || !has(self.adopted)", 'only volumes of engine gluster can be adopted'),
  rule('source', "self.engine != 'nfs' || !has(self.source)", 'does not go with engine nfs, which has no snapshots'),
  rule(
    'restoreFrom',
    "self.engine != 'nfs' || !has(self.restoreFrom)",
    'does not go with engine nfs, which has no snapshots',
  ),
  rule(
    'pool',
    "self.engine != 'nfs' || self.pool == 'default'",
    'does not go with engine nfs: the file server decides how it keeps the data',
  ),
  rule(
    'zones',
    "self.engine != 'nfs' || !has(self.zones)",
    'does not go with engine nfs: the file server decides how it keeps the data',
  ),
  rule(
    'allowSplitBrain',
    "self.engine == 'gluster' || !has(self.allowSplitBrain) || !self.allowSplitBrain",
    'goes with engine gluster only',
  ),
];

const isEncrypted = '(has(self.encryption) && self.encryption)';
const data = '(has(self.disperseData) ? self.disperseData : 2)';
const spare = '(has(self.redundancy) ? self.redundancy : 1)';
const copies = `(self.layout == 'arbiter' ? 3 : ${isDispersed} ? ${data} + ${spare} : ${hasReplicas} ? (has(self.replicas) ? self.replicas : 3) : 1) * (has(self.distribution) ? self.distribution : 1)`;

const REST: readonly CelRule[] = [
  rule(
    'encryption',
    `!${isEncrypted} || (self.engine != 'nfs' && self.brick != 'directory')`,
    'needs engine gluster or local, and brick image or block',
  ),
  rule('encryption', `!${isEncrypted} || !has(self.adopted)`, 'does not go with a volume that somebody else has made'),
  rule(
    'thinProvision',
    "!has(self.thinProvision) || !self.thinProvision || (self.engine == 'local' && self.brick != 'directory')",
    'needs engine local, and brick image or block',
  ),
  rule('keyIsGiven', `!has(self.keyIsGiven) || !self.keyIsGiven || ${isEncrypted}`, 'goes with encryption only'),
  rule('brick', "!has(self.adopted) || self.brick == 'directory'", 'must be directory for an adopted volume'),
  rule('source', '!has(self.adopted) || !has(self.source)', 'an adopted volume begins with what it has'),
  rule(
    'adopted',
    `!has(self.adopted) || size(self.adopted.bricks) == ${copies}`,
    'must have as many bricks as its layout has copies',
  ),
];

const isPlaced = 'has(oldSelf.status) && has(oldSelf.status.placement) && size(oldSelf.status.placement) > 0';
const once = 'cannot be changed once the volume has its copies';
const has = (object: string, field: string) => `has(${object}.spec.${field})`;
const settled = (object: string, field: string, fallback: string) =>
  `(${has(object, field)} ? ${object}.spec.${field} : ${fallback})`;
const keeps = (field: string, fallback: string): CelRule =>
  rule(
    `spec.${field}`,
    `!(${isPlaced}) || ${settled('self', field, fallback)} == ${settled('oldSelf', field, fallback)}`,
    once,
  );
const keepsGiven = (field: string, why: string): CelRule =>
  rule(
    `spec.${field}`,
    `!(${isPlaced}) || (${has('self', field)} ? (${has('oldSelf', field)} && self.spec.${field} == oldSelf.spec.${field}) : !${has('oldSelf', field)})`,
    why,
  );

const replicas = (object: string) =>
  `(${object}.spec.layout in ['replicated', 'distributed-replicated'] ? ${settled(object, 'replicas', '3')} : ${object}.spec.layout == 'arbiter' ? 2 : 1)`;
/** As volume convert: copies are added and taken out one by one where each holds everything. */
const isConvertible = (object: string) =>
  `(${object}.spec.engine != 'local' && !has(${object}.spec.adopted) && ${object}.spec.layout in ['single', 'replicated', 'arbiter'] && ${settled(object, 'distribution', '1')} == 1)`;
const isConverted = `(${isConvertible('self')} && ${isConvertible('oldSelf')})`;
const isInPieces = (object: string) => `(${has(object, 'profile')} && ${object}.spec.profile == 'large-files')`;
const granted = '(has(oldSelf.status.grantedSize) ? oldSelf.status.grantedSize : oldSelf.spec.size)';

/** As usecases/resources/fixed-fields.ts, without shard, which CEL does not see. */
const VOLUME_CHANGE: readonly CelRule[] = [
  ...(['engine', 'pool', 'brick'] as const).map((field) =>
    rule(`spec.${field}`, `!(${isPlaced}) || self.spec.${field} == oldSelf.spec.${field}`, once),
  ),
  rule('spec.layout', `!(${isPlaced}) || ${isConverted} || self.spec.layout == oldSelf.spec.layout`, once),
  rule('spec.replicas', `!(${isPlaced}) || ${isConverted} || ${replicas('self')} == ${replicas('oldSelf')}`, once),
  ...[keeps('distribution', '1'), keeps('disperseData', '2'), keeps('redundancy', '1'), keeps('fsType', "'xfs'")],
  ...[keeps('encryption', 'false'), keeps('keyIsGiven', 'false'), keeps('thinProvision', 'false')],
  rule(
    'spec.size',
    `!(${isPlaced}) || quantity(self.spec.size).compareTo(quantity(${granted})) >= 0`,
    'cannot become smaller than its copies are: their file systems grow and never shrink',
  ),
  rule(
    'spec.profile',
    `!(${isPlaced}) || ${isInPieces('self')} == ${isInPieces('oldSelf')}`,
    'large-files cuts files into pieces, which only holds from the creation of a volume on',
  ),
  keepsGiven('source', `${once}; make another clone`),
  rule(
    'spec.adopted',
    `!(${isPlaced}) || has(self.spec.adopted) == has(oldSelf.spec.adopted)`,
    `${once}; forget the volume and adopt it anew`,
  ),
  rule(
    'spec.adopted',
    `!(${isPlaced}) || !has(self.spec.adopted) || !has(oldSelf.spec.adopted) || (self.spec.adopted.engineId == oldSelf.spec.adopted.engineId && self.spec.adopted.bricks == oldSelf.spec.adopted.bricks)`,
    `${once}; forget the volume and adopt it anew`,
  ),
];

const isShareKnown =
  'has(oldSelf.spec.share) && has(oldSelf.status) && has(oldSelf.status.anchor) && !has(oldSelf.status.placement)';
const shareOnce = 'cannot be changed once an agent knows it; make another volume';

/** From the first look of an agent on: what it has made in the old place would be left behind. */
const SHARE_CHANGE: readonly CelRule[] = [
  rule('spec.engine', `!(${isShareKnown}) || self.spec.engine == oldSelf.spec.engine`, shareOnce),
  rule(
    'spec.share',
    `!(${isShareKnown}) || (has(self.spec.share) && self.spec.share == oldSelf.spec.share)`,
    shareOnce,
  ),
  rule(
    'spec.size',
    `!(${isShareKnown}) || quantity(self.spec.size).compareTo(quantity(oldSelf.spec.size)) == 0`,
    'is enforced by nobody: no file server knows it',
  ),
];

const SNAPSHOT_CHANGE: KindRules = {
  change: [rule('spec', 'self.spec == oldSelf.spec', 'cannot be changed; take another snapshot')],
};

/** Rules of each kind that has some. */
export const CRD_RULES: Partial<Record<KindName, KindRules>> = {
  Volume: { spec: [...LAYOUT, ...ENGINE, ...REST], change: [...VOLUME_CHANGE, ...SHARE_CHANGE] },
  VolumeSnapshotRecord: SNAPSHOT_CHANGE,
  VolumeGroupSnapshotRecord: SNAPSHOT_CHANGE,
  FenceRecord: {
    change: [rule('spec', 'self.spec == oldSelf.spec', 'cannot be changed; unfence the node, and fence it anew')],
  },
  Task: { change: taskRules() },
};

/** One piece of work: it can be stopped, not turned into another. */
function taskRules(): readonly CelRule[] {
  const same = (field: string) =>
    `(has(self.spec.${field}) ? (has(oldSelf.spec.${field}) && self.spec.${field} == oldSelf.spec.${field}) : !has(oldSelf.spec.${field}))`;
  const fields = ['volume', 'volumeUid', 'node', 'isFull', 'path', 'keep', 'undoes', 'findings'];
  const message = 'cannot be changed; create another Task. Only isCancelled can be set, once';
  return [
    rule('spec', 'self.spec.action == oldSelf.spec.action', message),
    ...fields.map((field) => rule('spec', same(field), message)),
    rule('spec', '!has(oldSelf.spec.isCancelled) || has(self.spec.isCancelled)', message),
  ];
}
