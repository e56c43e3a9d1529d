/** What csi-sanity is run for: each kind of volume that the driver makes, in a lab of its own. */

export interface Suite {
  readonly name: string;
  /** Of the class that the volumes are made with. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessType: 'mount' | 'block';
  /** Over what test/contract has for agents and machines, not in a lab: there is none where it could be mounted. */
  readonly isWithoutLab?: boolean;
  /** Tests that are left out, by how their names begin, each with the reason. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /** Not part of `npm test`: GlusterFS takes seconds for each of a hundred volumes. */
  readonly isLong?: boolean;
}

/** Those that begin with a snapshot, or a clone, that is to be had. */
const SNAPSHOT_TESTS = [
  'DeleteSnapshot [Controller Server] should return appropriate values',
  'CreateSnapshot [Controller Server] should succeed',
  'CreateSnapshot [Controller Server] should fail when requesting to create a snapshot',
  'ListSnapshots [Controller Server] should return snapshots that match',
  'ListSnapshots [Controller Server] check the presence of new snapshots',
  'ListSnapshots [Controller Server] should return next token',
  'Controller Service [Controller Server] CreateVolume should create volume from an existing source',
];

/** What nobody does for a share, wherever it is mounted. */
export const SHARE_LEFT_OUT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SNAPSHOT_TESTS.map((test) => [test, 'of a share there are no snapshots: FAILED_PRECONDITION'])),
  'ExpandVolume [Controller Server] should work': 'nobody keeps the size of a share: OUT_OF_RANGE',
};

export const SUITES: readonly Suite[] = [
  // One copy: the calls are the same for any number, and this one has no other node to wait for.
  { name: 'gluster', parameters: { engine: 'gluster', replicas: '1' }, accessType: 'mount', isLong: true },
  { name: 'local', parameters: { engine: 'local' }, accessType: 'mount' },
  { name: 'device', parameters: { engine: 'local' }, accessType: 'block' },
  {
    ...{ name: 'nfs', parameters: { server: 'files.example.com', share: '/export' }, accessType: 'mount' },
    isWithoutLab: true,
    leftOut: {
      'Node Service': 'nothing is mounted: the kernel may have no NFS client; see test/vm/sanity.test.ts',
      ...SHARE_LEFT_OUT,
    },
  },
];
