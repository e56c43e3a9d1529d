import { describe, expect, test } from 'vitest';
import type { AppError } from '../errors.ts';
import { type ClassWish, PARAMETERS } from './parameter-table.ts';
import { readParameters } from './parameters.ts';

function refusal(parameters: Readonly<Record<string, string>>): AppError {
  try {
    readParameters(parameters);
  } catch (error) {
    return error as AppError;
  }
  throw new Error('expected a refusal');
}

/** Each with the wish that it makes. */
const FOLLOWED: readonly (readonly [Readonly<Record<string, string>>, ClassWish])[] = [
  [{}, {}],
  [
    { engine: 'gluster', replicas: '3' },
    { engine: 'gluster', replicas: 3 },
  ],
  [
    { engine: 'local', fsType: 'ext4', brick: 'image' },
    { engine: 'local', fsType: 'ext4', brick: 'image' },
  ],
  [
    { layout: 'dispersed', disperseData: '4', redundancy: '2' },
    { layout: 'dispersed', disperseData: 4, redundancy: 2 },
  ],
  [
    { shard: 'true', profile: 'database', pool: 'fast' },
    { shard: true, profile: 'database', pool: 'fast' },
  ],
  [
    { shard: '64Mi', brick: 'directory' },
    { shard: '64Mi', brick: 'directory' },
  ],
  [{ shard: 'false', encryption: 'false', allowSplitBrain: 'true' }, { allowSplitBrain: true }],
  [{ encryption: 'true' }, { encryption: true }],
  [{ 'storageos.com/encryption': 'true' }, { encryption: true }],
  [
    { engine: 'local', thinProvision: 'true' },
    { engine: 'local', thinProvision: true },
  ],
  [
    { engine: 'local', thinProvision: 'yes' },
    { engine: 'local', thinProvision: true },
  ],
  [{ thinProvision: 'no' }, {}],
  // StorageOS counts the copies besides the primary.
  [
    { 'storageos.com/replicas': '2', 'storageos.com/encryption': 'false', pool: 'default', fsType: 'ext4' },
    { replicas: 3, pool: 'default', fsType: 'ext4' },
  ],
  [{ 'storageos.com/replicas': '0' }, { replicas: 1 }],
  [{ 'storageos.com/failure-mode': 'hard', adminSecretName: 'api', adminSecretNamespace: 'default' }, {}],
  [
    { volumetype: 'replicate:3', resturl: 'http://heketi:8080', restuser: 'admin', restuserkey: 'key' },
    { replicas: 3 },
  ],
  [{ volumetype: 'replicate' }, { replicas: 3 }],
  [{ volumetype: 'disperse:4:2' }, { layout: 'dispersed', disperseData: 4, redundancy: 2 }],
  [{ volumetype: 'none' }, { replicas: 1 }],
  [{ zones: 'east, west,east' }, { zones: ['east', 'west'] }],
  [{ arbiter: 'true' }, { layout: 'arbiter' }],
  [{ locality: 'strict' }, { locality: 'strict' }],
  [{ arbiter: 'false', failureMode: 'hard', snapfactor: '1' }, {}],
  [
    { volumetype: 'replicate:2', volumeoptions: 'user.heketi.arbiter true' },
    { replicas: 2, layout: 'arbiter' },
  ],
  [{ 'csi.storage.k8s.io/pvc/name': 'data', 'csi.storage.k8s.io/fstype': 'xfs' }, { fsType: 'xfs' }],
  [
    { distribution: '2', restauthenabled: 'true', clusterid: 'c', secretNamespace: 'n', secretName: 's' },
    { distribution: 2 },
  ],
  [{ 'storageos.com/nocompress': 'true', 'storageos.com/nocache': 'false', description: 'x' }, {}],
  [{ 'storageos.com/topology-aware': 'true', 'storageos.com/topology-key': 'topology.kubernetes.io/zone' }, {}],
  [{ 'storageos.com/automatic-data-locality': 'false' }, {}],
  [
    { server: 'files', share: '/x', subDir: '${pvc.metadata.name}', onDelete: 'archive', mountPermissions: '0777' },
    { server: 'files', sharePath: '/x', subDir: '${pvc.metadata.name}', onDelete: 'archive', permissions: '0777' },
  ],
  [
    { engine: 'nfs', server: 'files', share: '/', mountPermissions: '0' },
    { engine: 'nfs', server: 'files', sharePath: '/' },
  ],
  [{ 'csi.storage.k8s.io/pvc/namespace': 'default', 'csi.storage.k8s.io/pv/name': 'pvc-1' }, {}],
];

/** Each with a part of the reason. */
const REFUSED: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{ replica: '3' }, 'is no known parameter; did you mean replicas?'],
  [{ Replicas: '3' }, 'did you mean replicas?'],
  [{ 'storageos.com/replica': '2' }, 'did you mean storageos.com/replicas?'],
  [{ volumeType: 'none' }, 'did you mean volumetype?'],
  [{ volumeoptions: 'auth.allow *' }, 'can only be "user.heketi.arbiter true"'],
  [
    { volumeoptions: 'user.heketi.arbiter true', volumetype: 'none', layout: 'single' },
    'says the same as volumeoptions',
  ],
  [{ zones: 'a,,b' }, 'each of its names must not be empty'],
  [{ zones: '../a' }, 'each of its names may hold only'],
  [{ zones: Array.from({ length: 65 }, (_, n) => `z${n}`).join() }, 'names more than 64 zones'],
  [{ locality: 'near' }, 'must be one of preferred, strict'],
  [{ arbiter: 'yes' }, 'must be one of true, false'],
  [{ failureMode: 'soft' }, 'can only be hard'],
  [{ gidMin: '2000' }, 'is not offered: the group of a volume is that of the pod'],
  [{ volumenameprefix: 'x' }, 'is not offered'],
  [{ 'storageos.com/fixed-topology': 'a' }, 'by the parameter zones'],
  [{ arbitre: 'true' }, 'did you mean arbiter?'],
  [{ failuremode: 'hard' }, 'did you mean failureMode?'],
  [{ server: '-o', share: '/x' }, 'must be a host name'],
  [{ server: 'files', share: '/x/../y' }, 'must be an absolute path without'],
  [{ server: 'files', share: '/x', mountPermissions: '4777' }, 'must be an octal mode'],
  [{ server: 'files', share: '/x', onDelete: 'keep' }, 'must be one of delete, retain, archive'],
  [{ server: 'files', share: '/x', archiveOnDelete: 'true' }, 'is no known parameter'],
  ...(
    [
      ...[{ brick: 'image' }, { pool: 'default' }, { zones: 'a' }, { replicas: '1' }, { layout: 'single' }],
      ...[{ profile: 'shared' }, { encryption: 'true' }, { allowSplitBrain: 'true' }, { failureMode: 'hard' }],
      ...[{ volumetype: 'none' }, { 'storageos.com/replicas': '0' }, { shard: 'true' }, { distribution: '1' }],
    ] as const
  ).map((said) => [{ server: 'files', share: '/x', ...said }, 'does not go with engine nfs'] as const),
  [{ toString: 'x' }, 'is no known parameter'],
  [{ constructor: 'x' }, 'is no known parameter'],
  [{ replicas: '0' }, 'must be a whole number from 1 to'],
  [{ replicas: '-3' }, 'must be a whole number'],
  [{ replicas: '3; reboot' }, 'must be a whole number'],
  [{ replicas: '0x3' }, 'must be a whole number'],
  [{ 'storageos.com/replicas': '6' }, 'must be a whole number from 0 to 5'],
  [{ 'storageos.com/encryption': 'yes' }, 'must be one of true, false'],
  [{ encryption: 'True' }, 'must be one of true, false'],
  [{ engine: 'local', failureMode: 'hard' }, 'does not go with engine local'],
  [{ engine: 'local', 'storageos.com/failure-mode': 'hard' }, 'does not go with engine local'],
  [{ thinProvision: '1' }, 'must be one of true, false, yes, no'],
  [{ encryption: 'true', 'storageos.com/encryption': 'true' }, 'says the same as encryption'],
  [{ 'storageos.com/failure-mode': 'soft' }, 'can only be hard'],
  [{ volumetype: 'disperse:2:2' }, 'disperse:DATA:REDUNDANCY'],
  [{ volumetype: 'replicate:3:1' }, 'must be none'],
  [{ pool: '../../etc' }, 'may hold only'],
  [{ layout: 'raid5' }, 'must be one of'],
  [{ engine: 'ceph' }, 'must be one of gluster, local'],
  [{ fsType: 'ext4;reboot' }, 'must be one of'],
  [{ shard: '64Mi --force' }, 'must be true, false, or a size'],
  [{ replicas: '3', 'storageos.com/replicas': '2' }, 'says the same as replicas'],
  [{ pool: 'x'.repeat(300) }, 'more than 256 characters'],
  [{ gidMax: '2000' }, 'is not offered'],
];

describe('readParameters', () => {
  test.each(FOLLOWED)('%o means %o', (parameters, wish) => {
    expect(readParameters(parameters)).toEqual(wish);
  });

  test.each(REFUSED)('%o is refused', (parameters, message) => {
    const error = refusal(parameters);
    expect(error).toMatchObject({ kind: 'invalid', reason: 'InvalidParameters' });
    expect(error.faults.map((fault) => fault.message).join('\n')).toContain(message);
  });

  test('every parameter that is understood is tried here', () => {
    const tried = [...FOLLOWED, ...REFUSED].flatMap(([parameters]) => Object.keys(parameters));
    expect(Object.keys(PARAMETERS).filter((key) => !tried.includes(key))).toEqual([]);
  });

  test('every fault is told at once', () => {
    expect(refusal({ replica: '3', pool: '.', shard: 'no' }).faults.map((fault) => fault.field)).toEqual([
      'replica',
      'pool',
      'shard',
    ]);
  });
});
