/** The parameters of a StorageClass that are understood, each with what it means here. */

import { LOCALITIES, type Locality } from '../locality/locality.ts';
import { labelFault } from '../names.ts';
import { exportFault, ON_DELETE, type OnDelete, permissionsFault, serverFault } from '../nfs/share.ts';
import { type BrickKind, ENGINES, type EngineName, FILE_SYSTEM_TYPES } from '../volume/engines.ts';
import type { LayoutRequest } from '../volume/layout.ts';
import { MAX_REPLICAS, MAX_SETS } from '../volume/layout-faults.ts';
import { isLayoutWord, LAYOUT_WORDS } from '../volume/striped.ts';

/** What a class asks of its volumes; what it leaves out is left to the defaults. */
export interface ClassWish extends LayoutRequest {
  readonly engine?: EngineName;
  /** As it was written; of effect for engine local only, see settleWish. */
  readonly fsType?: string;
  readonly pool?: string;
  readonly brick?: BrickKind;
  readonly profile?: 'database' | 'shared' | 'large-files';
  readonly encryption?: boolean;
  /** Engine local: no room is reserved, and discards give it back. */
  readonly thinProvision?: boolean;
  /** How closely pods keep to the copies. */
  readonly locality?: Locality;
  /** Zones that copies may be placed in. */
  readonly zones?: readonly string[];
  /** Engine nfs: the file server, what it exports, and the folder of that, with places for the names of the claim. */
  readonly server?: string;
  readonly sharePath?: string;
  readonly subDir?: string;
  readonly onDelete?: OnDelete;
  readonly permissions?: string;
}

/** A part of the wish, empty for what has no meaning here; or why the value is refused. It never repeats the value. */
export type ReadParameter = { readonly wish: ClassWish } | { readonly fault: string };
export type Reader = (value: string) => ReadParameter;

const NOTHING: ReadParameter = { wish: {} };
/** More are no list that somebody wrote; the API takes no more either. */
const MAX_ZONES = 64;
/** StorageOS allowed so many copies besides the primary. */
const MAX_STORAGEOS_REPLICAS = 5;
const PIECE = /^\d{1,6}(?:Ki|Mi|Gi)$/;

const number =
  (least: number, most: number, wish: (value: number) => ClassWish): Reader =>
  (value) => {
    const read = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN;
    return read >= least && read <= most
      ? { wish: wish(read) }
      : { fault: `must be a whole number from ${least} to ${most}` };
  };

const choice =
  <T extends string>(words: readonly T[], wish: (word: T) => ClassWish): Reader =>
  (value) => {
    const word = words.find((each) => each === value);
    return word === undefined ? { fault: `must be one of ${words.join(', ')}` } : { wish: wish(word) };
  };

/** Only one answer can be given; `why` says what the other would need. */
const only =
  (word: string, why: string): Reader =>
  (value) =>
    value === word ? NOTHING : { fault: `can only be ${word}: ${why}` };

const bool: Reader = (value) => (value === 'true' || value === 'false' ? NOTHING : { fault: 'must be true or false' });

const label =
  (wish: (value: string) => ClassWish): Reader =>
  (value) => {
    const fault = labelFault(value);
    return fault === undefined ? { wish: wish(value) } : { fault };
  };

/** Understood, and refused whatever its value is. */
const never =
  (why: string): Reader =>
  () => ({ fault: `is not offered: ${why}` });

/** Names separated by commas. */
const zones: Reader = (value) => {
  const names = value.split(',').map((name) => name.trim());
  if (names.length > MAX_ZONES) return { fault: `names more than ${MAX_ZONES} zones` };
  const fault = names.map(labelFault).find((each) => each !== undefined);
  return fault === undefined ? { wish: { zones: [...new Set(names)] } } : { fault: `each of its names ${fault}` };
};

const arbiter: Reader = choice(['true', 'false'], (word): ClassWish => (word === 'true' ? { layout: 'arbiter' } : {}));

/** Named the server of the other system, and who logs in there: there is none to log in to. */
const login: Reader = () => NOTHING;

const layout: Reader = (value) =>
  isLayoutWord(value) ? { wish: { layout: value } } : { fault: `must be one of ${LAYOUT_WORDS.join(', ')}` };

const shard: Reader = (value) => {
  if (value === 'true') return { wish: { shard: true } };
  if (value === 'false') return NOTHING;
  return PIECE.test(value) ? { wish: { shard: value } } : { fault: 'must be true, false, or a size such as 64Mi' };
};

const SINGLE: ReadParameter = { wish: { replicas: 1 } };
const VOLUME_TYPE =
  /^(?:none|replicate(?::(?<copies>\d{1,2}))?|disperse(?::(?<data>\d{1,2}):(?<redundancy>\d{1,2}))?)$/;

/** Heketi: "none", "replicate:3", "disperse:4:2"; "replicate" alone is three copies, "disperse" alone 4 and 2. */
const volumeType: Reader = (value) => {
  const found = VOLUME_TYPE.exec(value)?.groups;
  if (value === 'none') return SINGLE;
  const fault = 'must be none, replicate:COPIES or disperse:DATA:REDUNDANCY, such as replicate:3 or disperse:4:2';
  if (found === undefined) return { fault };
  if (value.startsWith('replicate')) {
    return number(1, MAX_REPLICAS, (replicas) => ({ replicas }))(found['copies'] ?? '3');
  }
  const [disperseData, redundancy] = [Number(found['data'] ?? 4), Number(found['redundancy'] ?? 2)];
  const isPossible = disperseData >= 2 && redundancy >= 1 && redundancy < disperseData;
  return isPossible ? { wish: { layout: 'dispersed', disperseData, redundancy } } : { fault };
};

/** Left out and "false" are the same. */
const encryption = choice(['true', 'false'], (word) => (word === 'true' ? { encryption: true } : {}));
/** Heketi: options of GlusterFS; the one that it reads itself is the one that has a place here. */
const volumeOptions: Reader = (value) =>
  value === 'user.heketi.arbiter true'
    ? { wish: { layout: 'arbiter' } }
    : { fault: 'can only be "user.heketi.arbiter true": options of GlusterFS follow from the profile' };

/** StorageOS: what a volume does when copies are away. */
const hardOnly = only('hard', 'the quorum of GlusterFS stops writes that a minority of copies would take');

const OWN: Readonly<Record<string, Reader>> = {
  engine: choice(ENGINES, (engine) => ({ engine })),
  replicas: number(1, MAX_REPLICAS, (replicas) => ({ replicas })),
  layout,
  distribution: number(1, MAX_SETS, (distribution) => ({ distribution })),
  disperseData: number(2, MAX_REPLICAS * MAX_SETS, (disperseData) => ({ disperseData })),
  redundancy: number(1, MAX_REPLICAS * MAX_SETS, (redundancy) => ({ redundancy })),
  shard,
  profile: choice(['database', 'shared', 'large-files'], (profile) => ({ profile })),
  pool: label((pool) => ({ pool })),
  zones,
  locality: choice(LOCALITIES, (locality) => ({ locality })),
  arbiter,
  failureMode: hardOnly,
  brick: choice(['image', 'directory'], (brick) => ({ brick })),
  allowSplitBrain: choice(['true', 'false'], (word) => ({ allowSplitBrain: word === 'true' })),
  encryption,
  // "yes" and "no" are those of OpenEBS LocalPV.
  thinProvision: choice(['true', 'false', 'yes', 'no'], (word) =>
    word === 'true' || word === 'yes' ? { thinProvision: true } : {},
  ),
};

const checked =
  (faultOf: (value: string) => string | undefined, wish: (value: string) => ClassWish): Reader =>
  (value) => {
    const fault = faultOf(value);
    return fault === undefined ? { wish: wish(value) } : { fault };
  };

/** csi-driver-nfs; a class of it has no `engine`. */
const NFS: Readonly<Record<string, Reader>> = {
  server: checked(serverFault, (server) => ({ server })),
  share: checked(exportFault, (sharePath) => ({ sharePath })),
  // Judged with the names of the claim in it.
  subDir: (value) => ({ wish: { subDir: value } }),
  onDelete: choice(ON_DELETE, (onDelete) => ({ onDelete })),
  // 0 leaves the mode alone.
  mountPermissions: (value) =>
    value === '0' ? NOTHING : checked(permissionsFault, (permissions) => ({ permissions }))(value),
};

const STORAGEOS: Readonly<Record<string, Reader>> = {
  // Counts the copies besides the primary.
  'storageos.com/replicas': number(0, MAX_STORAGEOS_REPLICAS, (others) => ({ replicas: others + 1 })),
  'storageos.com/encryption': encryption,
  'storageos.com/failure-mode': hardOnly,
  'storageos.com/nocompress': only('true', 'nothing is compressed'),
  'storageos.com/nocache': only('false', 'the kernel caches what is read'),
  // Copies go to different zones wherever there are such.
  'storageos.com/topology-aware': bool,
  'storageos.com/fixed-topology': never('a volume keeps to zones by the parameter zones'),
  'storageos.com/automatic-data-locality': only('false', 'copies stay where they were placed'),
  'storageos.com/topology-key': only('topology.kubernetes.io/zone', 'copies are spread over zones'),
  description: login,
  adminSecretNamespace: login,
  adminSecretName: login,
};

const HEKETI: Readonly<Record<string, Reader>> = {
  volumetype: volumeType,
  volumeoptions: volumeOptions,
  volumenameprefix: never('a volume has the name of its claim in GlusterFS too'),
  gidMin: never('the group of a volume is that of the pod, its fsGroup'),
  gidMax: never('the group of a volume is that of the pod, its fsGroup'),
  snapfactor: only('1', 'nothing is kept free for snapshots'),
  resturl: login,
  restuser: login,
  restuserkey: login,
  restauthenabled: login,
  secretNamespace: login,
  secretName: login,
  clusterid: login,
};

const fsType = choice([...new Set(['glusterfs', 'nfs', ...FILE_SYSTEM_TYPES])], (type) => ({ fsType: type }));

/** Given by external-provisioner with --extra-create-metadata, and file systems. */
const SIDECARS: Readonly<Record<string, Reader>> = {
  'csi.storage.k8s.io/pvc/name': login,
  'csi.storage.k8s.io/pvc/namespace': login,
  'csi.storage.k8s.io/pv/name': login,
  'csi.storage.k8s.io/fstype': fsType,
  fsType,
};

/** Every parameter that is understood, by its exact name. */
export const PARAMETERS: Readonly<Record<string, Reader>> = { ...OWN, ...NFS, ...STORAGEOS, ...HEKETI, ...SIDECARS };

/** What a volume does when copies are away, by whatever name. */
export const FAILURE_MODES: ReadonlySet<string> = new Set(['failureMode', 'storageos.com/failure-mode']);

/** Those that say how copies are kept, by whatever name; whom another system knew is none of it. */
export const COPY_PARAMETERS: ReadonlySet<string> = new Set(
  Object.entries({ ...OWN, ...STORAGEOS, ...HEKETI }).flatMap(([key, reader]) =>
    key === 'engine' || reader === login ? [] : [key],
  ),
);
