/** What csi-sanity is run for: each kind of volume that the driver makes, in a lab of its own. */

export interface Suite {
  readonly name: string;
  /** Of the class that the volumes are made with. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly accessType: 'mount' | 'block';
  /** Not part of `npm test`: GlusterFS takes seconds for each of a hundred volumes. */
  readonly isLong?: boolean;
}

export const SUITES: readonly Suite[] = [
  // One copy: the calls are the same for any number, and this one has no other node to wait for.
  { name: 'gluster', parameters: { engine: 'gluster', replicas: '1' }, accessType: 'mount', isLong: true },
  { name: 'local', parameters: { engine: 'local' }, accessType: 'mount' },
  { name: 'device', parameters: { engine: 'local' }, accessType: 'block' },
];
