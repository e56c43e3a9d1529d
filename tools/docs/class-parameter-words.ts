/** What each parameter of a StorageClass means, for people. Every one that is understood has to be here, and no other. */

interface ParameterWords {
  /** What happens when the class leaves it out. */
  readonly fallback?: string;
  readonly meaning: string;
}

const LOGIN = 'Read, and of no effect: there is no other system to log in to.';
const FILE_SYSTEM =
  'Engine local: the file system of the image, xfs, ext4 or btrfs. Of no effect for engine gluster: GlusterFS is what a pod sees.';
const GIVEN = 'Written by external-provisioner; of no effect.';

/** Those of csi-driver-nfs. */
const SHARE_WORDS: Readonly<Record<string, ParameterWords>> = {
  server: { meaning: 'Engine nfs: name or address of the file server. A class that has it needs no `engine`.' },
  share: { meaning: 'Engine nfs: what the server exports, such as `/export`.' },
  subDir: {
    fallback: 'the name of the volume',
    meaning:
      'Engine nfs: the folder of the share that a volume is; `${pvc.metadata.name}`, `${pvc.metadata.namespace}` and `${pv.metadata.name}` are put in.',
  },
  onDelete: {
    fallback: 'delete',
    meaning: 'Engine nfs: what becomes of the folder with the volume; archive renames it to `archived-NAME`.',
  },
  mountPermissions: {
    fallback: '0755',
    meaning: 'Engine nfs: octal mode that the folder is made with; 0 is as if it was left out.',
  },
};

export const PARAMETER_WORDS: Readonly<Record<string, ParameterWords>> = {
  ...SHARE_WORDS,
  engine: {
    fallback: 'gluster',
    meaning:
      'What stores and serves the data: gluster (copies on several nodes) or local ([one copy, used on its node](../how-to/local-volumes.md)).',
  },
  replicas: { fallback: '3', meaning: 'Copies that hold data, of each set.' },
  layout: {
    fallback: 'replicated',
    meaning: 'How copies make the volume; [which is for what](../how-to/choose-a-layout.md).',
  },
  distribution: {
    fallback: '2 for distributed layouts, else 1',
    meaning: 'Sets of copies that files are spread over.',
  },
  disperseData: {
    fallback: '2',
    meaning: 'Dispersed layouts: fragments of each set that are needed to read the data.',
  },
  redundancy: { fallback: '1', meaning: 'Dispersed layouts: fragments of each set that may be lost.' },
  shard: { fallback: 'false', meaning: 'Cut large files into pieces that are spread over the sets.' },
  profile: { meaning: 'What it is used for; [what each changes](../how-to/choose-a-profile.md).' },
  pool: { fallback: 'default', meaning: 'Name of the pool on each node that copies are placed in.' },
  locality: {
    fallback: 'preferred',
    meaning:
      'Where the scheduler asks Holdfast: [pods are led to nodes with a copy](../how-to/run-pods-near-their-data.md), or run nowhere else (strict).',
  },
  zones: { fallback: 'all', meaning: 'Zones that copies may be placed in, separated by commas.' },
  arbiter: { fallback: 'false', meaning: 'Two copies hold data, and a third only decides: layout arbiter.' },
  failureMode: {
    fallback: 'hard',
    meaning:
      'Engine gluster: what happens when copies are lost: writes that a minority would take are stopped. Other engines have no quorum.',
  },
  brick: { fallback: 'image', meaning: 'A file system of its own for each copy, or a directory of the pool.' },
  allowSplitBrain: {
    fallback: 'false',
    meaning: 'Two copies without a third vote, which diverge when their nodes lose each other.',
  },
  encryption: { fallback: 'false', meaning: 'Encryption at rest.' },
  thinProvision: {
    fallback: 'false',
    meaning:
      'Engine local: no room is reserved, and what is deleted goes [back to the pool](../how-to/local-volumes.md); `yes` and `no` are read too.',
  },
  'storageos.com/replicas': { meaning: 'StorageOS: copies besides the primary; 2 is `replicas: 3`.' },
  'storageos.com/encryption': { meaning: 'StorageOS: encryption at rest.' },
  'storageos.com/failure-mode': { meaning: 'StorageOS: what happens when copies are lost; as `failureMode`.' },
  'storageos.com/nocompress': { meaning: 'StorageOS: compression of what is sent and stored.' },
  'storageos.com/nocache': { meaning: 'StorageOS: a cache of its own.' },
  'storageos.com/topology-aware': {
    meaning: 'StorageOS: copies in different zones, which Holdfast does wherever there are zones.',
  },
  'storageos.com/fixed-topology': { meaning: 'StorageOS: zones of a volume; say `zones`.' },
  'storageos.com/automatic-data-locality': { meaning: 'StorageOS: copies that follow the pod.' },
  'storageos.com/topology-key': { meaning: 'StorageOS: the label that names the zone.' },
  description: { meaning: 'For people; of no effect.' },
  adminSecretNamespace: { meaning: LOGIN },
  adminSecretName: { meaning: LOGIN },
  volumetype: {
    meaning: 'Heketi: layout and copies; `replicate` alone is three copies, `disperse` alone 4 and 2 fragments.',
  },
  volumeoptions: { meaning: 'Heketi: options of GlusterFS.' },
  volumenameprefix: { meaning: 'Heketi: names of volumes in GlusterFS.' },
  gidMin: { meaning: 'Heketi: groups for volumes.' },
  gidMax: { meaning: 'Heketi: groups for volumes.' },
  snapfactor: { meaning: 'Heketi: room for snapshots.' },
  resturl: { meaning: LOGIN },
  restuser: { meaning: LOGIN },
  restuserkey: { meaning: LOGIN },
  restauthenabled: { meaning: LOGIN },
  secretNamespace: { meaning: LOGIN },
  secretName: { meaning: LOGIN },
  clusterid: { meaning: LOGIN },
  'csi.storage.k8s.io/pvc/name': { meaning: GIVEN },
  'csi.storage.k8s.io/pvc/namespace': { meaning: GIVEN },
  'csi.storage.k8s.io/pv/name': { meaning: GIVEN },
  'csi.storage.k8s.io/fstype': { meaning: FILE_SYSTEM },
  fsType: { meaning: FILE_SYSTEM },
};
