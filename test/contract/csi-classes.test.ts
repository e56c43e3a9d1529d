/** Every parameter of a class, from the call to the Volume that is stored; and what can be changed of it afterwards. */
import { Status } from 'nice-grpc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

let world: CsiWorld;
let csi: CsiClient;
beforeAll(async () => {
  world = await startCsiWorld();
  csi = createCsiClient(world);
  // Enough of them for every layout.
  for (const name of ['kube4', 'kube5', 'kube6']) await world.addNode(name, 'east');
  for (const name of ['kube1', 'kube2', 'kube3'])
    await world.client.patch('StorageNode', name, { spec: { zone: 'west' } });
});
afterAll(async () => {
  csi.close();
  await world.stop();
});

let made = 0;
const create = async (parameters: Readonly<Record<string, string>>, rest: object = {}) => {
  made += 1;
  const capacityRange = { requiredBytes: 128n * 1024n ** 2n, limitBytes: 0n };
  const wish = { name: `v${made}`, volumeCapabilities: [mountable()], capacityRange, parameters: { ...parameters } };
  const { volume } = await csi.controller.createVolume({ ...wish, ...rest });
  return volume?.volumeId ?? '';
};
const specOf = async (name: string) => (await world.client.get('Volume', name))?.spec;

/** Each with what the stored volume then has. */
const CLASSES: readonly (readonly [Readonly<Record<string, string>>, object])[] = [
  [{}, { engine: 'gluster', layout: 'replicated', replicas: 3, pool: 'default', brick: 'image' }],
  [
    { engine: 'gluster', replicas: '1' },
    { engine: 'gluster', layout: 'single', replicas: 1 },
  ],
  [{ replicas: '2' }, { layout: 'arbiter', replicas: 2 }],
  [
    { replicas: '2', allowSplitBrain: 'true' },
    { layout: 'replicated', replicas: 2, allowSplitBrain: true },
  ],
  [{ arbiter: 'true' }, { layout: 'arbiter', replicas: 2 }],
  [
    { arbiter: 'true', distribution: '2' },
    { layout: 'arbiter', distribution: 2 },
  ],
  [
    { layout: 'distributed', distribution: '2' },
    { layout: 'distributed', distribution: 2 },
  ],
  [
    { layout: 'dispersed', disperseData: '4', redundancy: '2' },
    { layout: 'dispersed', disperseData: 4, redundancy: 2 },
  ],
  [{ shard: 'true' }, { shard: '64Mi' }],
  [
    { shard: '128Mi', profile: 'large-files' },
    { shard: '128Mi', profile: 'large-files' },
  ],
  [{ profile: 'database' }, { profile: 'database' }],
  [{ locality: 'strict' }, { locality: 'strict' }],
  [{ brick: 'directory' }, { brick: 'directory' }],
  [{ pool: 'default' }, { pool: 'default' }],
  [{ zones: 'west' }, { zones: ['west'] }],
  [{ zones: 'west,east', failureMode: 'hard', encryption: 'false' }, { zones: ['west', 'east'] }],
  [{ 'storageos.com/replicas': '2' }, { layout: 'replicated', replicas: 3 }],
  [
    {
      'storageos.com/encryption': 'false',
      'storageos.com/failure-mode': 'hard',
      'storageos.com/nocompress': 'true',
      'storageos.com/nocache': 'false',
      'storageos.com/topology-aware': 'true',
      'storageos.com/topology-key': 'topology.kubernetes.io/zone',
      'storageos.com/automatic-data-locality': 'false',
      adminSecretName: 'api',
      adminSecretNamespace: 'default',
      description: 'a volume',
    },
    { layout: 'replicated', replicas: 3 },
  ],
  [
    { volumetype: 'replicate:3', snapfactor: '1' },
    { layout: 'replicated', replicas: 3 },
  ],
  [{ volumetype: 'disperse:4:2' }, { layout: 'dispersed', disperseData: 4, redundancy: 2 }],
  [{ volumetype: 'none' }, { layout: 'single' }],
  [
    { volumetype: 'replicate:2', volumeoptions: 'user.heketi.arbiter true' },
    { layout: 'arbiter', replicas: 2 },
  ],
  [
    { resturl: 'http://heketi:8080', restuser: 'admin', restuserkey: 'k', restauthenabled: 'true', clusterid: 'c' },
    { layout: 'replicated', replicas: 3 },
  ],
  [{ secretName: 's', secretNamespace: 'n', fsType: 'xfs' }, { layout: 'replicated' }],
  [
    {
      'csi.storage.k8s.io/pvc/name': 'data',
      'csi.storage.k8s.io/pvc/namespace': 'default',
      'csi.storage.k8s.io/pv/name': 'pvc-1',
      'csi.storage.k8s.io/fstype': 'ext4',
    },
    { layout: 'replicated' },
  ],
];

describe('a class', () => {
  test.each(CLASSES)('of %o makes a volume of %o', async (parameters, spec) => {
    expect(await specOf(await create(parameters))).toMatchObject(spec);
  });

  test('keeps copies in its zones', async () => {
    const refusal = await refusalOf(create({ zones: 'north' }));
    expect(refusal.code).toBe(Status.RESOURCE_EXHAUSTED);
    expect(refusal.details).toContain('only 0 are usable');
  });

  test.each([
    [{ replica: '3' }, 'did you mean replicas?'],
    [{ zone: 'west' }, 'did you mean zones?'],
    [{ layout: 'arbiter', replicas: '3' }, 'layout arbiter has 2 replicas'],
    [{ arbiter: 'true', volumetype: 'none' }, 'layout arbiter has 2 replicas'],
    [{ profile: 'fast' }, 'must be one of database, shared, large-files'],
    [{ failureMode: 'soft' }, 'can only be hard'],
  ])('of %o is refused: %s', async (parameters, why) => {
    const refusal = await refusalOf(create(parameters));
    expect(refusal.code).toBe(Status.INVALID_ARGUMENT);
    expect(refusal.details).toContain(why);
  });

  test('a clone of what it made is one of the same class, in whatever words', async () => {
    const parameters = { shard: 'true', arbiter: 'true', zones: 'west,east', profile: 'shared' };
    const volumeId = await create(parameters);
    const volumeContentSource = { type: { $case: 'volume' as const, value: { volumeId } } };
    const clone = await create(parameters, { volumeContentSource });
    expect(await specOf(clone)).toMatchObject({ shard: '64Mi', layout: 'arbiter', profile: 'shared' });
    const other = await create({ profile: 'database' }, { volumeContentSource });
    expect((await specOf(other))?.profile).toBe('database');
    for (const misfit of [{ zones: 'west' }, { shard: '128Mi' }, { replicas: '3' }, { allowSplitBrain: 'true' }]) {
      const { code } = await refusalOf(create(misfit, { volumeContentSource }));
      expect(code).toBe(Status.INVALID_ARGUMENT);
    }
  });
});

describe('a volume', () => {
  const modify = (volumeId: string, mutableParameters: Readonly<Record<string, string>>) =>
    csi.controller.controllerModifyVolume({ volumeId, mutableParameters: { ...mutableParameters } });

  test('gets another profile and other copies, and the same call again changes nothing', async () => {
    const volumeId = await create({});
    for (const _round of [1, 2]) {
      await modify(volumeId, { profile: 'database', replicas: '5', failureMode: 'hard' });
      expect(await specOf(volumeId)).toMatchObject({ profile: 'database', layout: 'replicated', replicas: 5 });
    }
    await modify(volumeId, { profile: 'none', 'storageos.com/replicas': '0' });
    const spec = await specOf(volumeId);
    expect(spec).toMatchObject({ layout: 'single', replicas: 1 });
    expect(spec?.profile).toBeUndefined();
    await modify(volumeId, {});
  });

  test('is made with what a VolumeAttributesClass says, which goes before its class', async () => {
    const rest = { mutableParameters: { profile: 'none', replicas: '1' } };
    const spec = await specOf(await create({ profile: 'database', replicas: '3' }, rest));
    expect(spec).toMatchObject({ layout: 'single', replicas: 1 });
    expect(spec?.profile).toBeUndefined();
  });

  test.each([
    [{ replicas: '0' }, Status.INVALID_ARGUMENT, 'must be a whole number'],
    [{ replicas: '2', profile: 'database' }, Status.INVALID_ARGUMENT, 'can diverge'],
    [{ profile: 'large-files' }, Status.FAILED_PRECONDITION, 'from its creation on'],
    [{ profile: 'fast', replicas: '5' }, Status.INVALID_ARGUMENT, 'must be one of database'],
    [{ pool: 'default', replicas: '5' }, Status.INVALID_ARGUMENT, 'cannot be changed; only profile, replicas'],
    [{ replica: '5' }, Status.INVALID_ARGUMENT, 'did you mean replicas?'],
    [{ failureMode: 'soft', replicas: '5' }, Status.INVALID_ARGUMENT, 'can only be hard'],
    [{ replicas: '3', 'storageos.com/replicas': '1' }, Status.INVALID_ARGUMENT, 'says the same as'],
  ] as const)('is as it was when %o is refused', async (parameters, code, why) => {
    const volumeId = await create({});
    const before = await specOf(volumeId);
    const refusal = await refusalOf(modify(volumeId, parameters));
    expect([refusal.code, refusal.details]).toEqual([code, expect.stringContaining(why)]);
    expect(await specOf(volumeId)).toEqual(before);
  });

  test('of coded fragments, or that there is not, is not changed', async () => {
    const volumeId = await create({ layout: 'dispersed' });
    expect((await refusalOf(modify(volumeId, { replicas: '3' }))).code).toBe(Status.FAILED_PRECONDITION);
    expect((await refusalOf(modify('none', {}))).code).toBe(Status.NOT_FOUND);
  });

  test('is confirmed to be only what it is', async () => {
    const volumeId = await create({ replicas: '3', profile: 'shared' });
    const look = (rest: object) =>
      csi.controller.validateVolumeCapabilities({ volumeId, volumeCapabilities: [mountable()], ...rest });
    const { confirmed } = await look({ parameters: { replicas: '3' }, mutableParameters: { profile: 'shared' } });
    expect(confirmed).toMatchObject({ parameters: { replicas: '3' }, mutableParameters: { profile: 'shared' } });
    for (const [otherwise, why] of [
      [{ parameters: { replicas: '1' } }, 'the volume has replicas 3, and not 1'],
      [{ parameters: { replica: '1' } }, 'did you mean replicas?'],
      [{ mutableParameters: { profile: 'database' } }, 'the volume has profile shared, and not database'],
      [{ volumeContext: { share: '/' } }, 'have no context'],
    ] as const) {
      const seen = await look(otherwise);
      expect(seen.confirmed).toBeUndefined();
      expect(seen.message).toContain(why);
    }
  });
});
