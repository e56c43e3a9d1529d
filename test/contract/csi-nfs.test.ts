/** Volumes on shares through CSI: the classes of csi-driver-nfs, and what a file server cannot be asked for. */
import { Status } from 'nice-grpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VolumeCapability_AccessMode_Mode as Mode } from '../../src/gen/csi/csi.ts';
import { blockOf, type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

const GIB = 1024n ** 3n;
const CLASS = { server: 'files.example.com', share: '/export' };
const CLAIM = {
  'csi.storage.k8s.io/pvc/name': 'data',
  'csi.storage.k8s.io/pvc/namespace': 'shop',
  'csi.storage.k8s.io/pv/name': 'pvc-1',
};

let world: CsiWorld;
let csi: CsiClient;
beforeEach(async () => {
  world = await startCsiWorld();
  csi = createCsiClient(world);
  for (const { metadata, status } of (await world.client.list('StorageNode')).items) {
    const engines = [...(status?.engines ?? []), { name: 'nfs', isInstalled: true, isRunning: true }];
    await world.client.patch('StorageNode', metadata.name, { status: { engines } }, { subresource: 'status' });
  }
});
afterEach(async () => {
  csi.close();
  await world.stop();
});

const withFlags = (...mountFlags: readonly string[]) => {
  const { accessMode } = mountable();
  const mount = { fsType: '', mountFlags: [...mountFlags], volumeMountGroup: '' };
  return { accessMode, accessType: { $case: 'mount' as const, value: mount } };
};
const wish = (parameters: Readonly<Record<string, string>> = {}, volumeCapability = mountable()) => ({
  name: 'pvc-1',
  volumeCapabilities: [volumeCapability],
  capacityRange: { requiredBytes: GIB, limitBytes: 0n },
  parameters: { ...CLASS, ...parameters },
});
const specOf = async (name = 'pvc-1') => (await world.client.get('Volume', name))?.spec;
const codeOf = async (call: Promise<unknown>) => (await refusalOf(call)).code;

describe('a class of csi-driver-nfs', () => {
  test('makes a folder of the name of the volume, and is known again', async () => {
    for (let round = 0; round < 2; round += 1) {
      const { volume } = await csi.controller.createVolume(wish());
      expect(volume).toMatchObject({ volumeId: 'pvc-1', capacityBytes: GIB, accessibleTopology: [] });
    }
    const share = { server: 'files.example.com', path: '/export', subDir: 'pvc-1' };
    expect(await specOf()).toMatchObject({ engine: 'nfs', layout: 'single', share });
    expect(await codeOf(csi.controller.createVolume(wish({ share: '/other' })))).toBe(Status.ALREADY_EXISTS);
  });

  test('puts the names of the claim into subDir, and its mount options into the volume', async () => {
    const subDir = '${pvc.metadata.namespace}/${pvc.metadata.name}';
    const parameters = { ...CLAIM, subDir, onDelete: 'archive', mountPermissions: '0770' };
    await csi.controller.createVolume(wish(parameters, withFlags('nfsvers=4.1', 'hard', 'noatime')));
    expect((await specOf())?.share).toEqual({
      ...{ server: 'files.example.com', path: '/export', subDir: 'shop/data', onDelete: 'archive' },
      ...{ permissions: '0770', mountOptions: ['nfsvers=4.1', 'hard'] },
    });
    const volumeCapability = withFlags('nfsvers=4.1', 'hard', 'noatime');
    await csi.controller.controllerPublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1', volumeCapability });
    const request = { volumeId: 'pvc-1', volumeCapabilities: [volumeCapability], parameters: { ...CLASS, subDir } };
    expect((await csi.controller.validateVolumeCapabilities(request)).confirmed).toBeDefined();
    const other = { ...request, parameters: { ...CLASS, server: 'other' } };
    expect((await csi.controller.validateVolumeCapabilities(other)).message).toContain('files.example.com');
  });

  test.each([
    ['a claim whose name leads elsewhere', { subDir: '${pvc.metadata.name}', 'csi.storage.k8s.io/pvc/name': '..' }],
    ['a name that nobody told', { subDir: '${pvc.metadata.uid}' }],
    ['a folder that leads elsewhere', { subDir: 'a/../../b' }],
    ['an empty folder', { subDir: '' }],
    ['a folder that is the share', { subDir: '.' }],
    ['the folder of Holdfast itself', { subDir: '.holdfast/owners' }],
    ['a share that leads elsewhere', { share: '/exports/../..' }],
    ['a server that is an option', { server: '-o' }],
    ['another engine', { engine: 'gluster' }],
    ['copies', { replicas: '3' }],
    ['encryption', { encryption: 'true' }],
    ['a pool without a file system', { brick: 'directory' }],
    ['what would be assumed of copies', { brick: 'image' }],
    ['a file system of images', { fsType: 'ext4' }],
  ])('is refused with %s', async (_what, parameters) => {
    expect(await codeOf(csi.controller.createVolume(wish(parameters)))).toBe(Status.INVALID_ARGUMENT);
    expect(await specOf()).toBeUndefined();
  });

  test.each(['suid', 'dev', 'soft', 'context=x', 'addr=10.0.0.1', 'nfsvers=9', 'nfsvers=4.1,suid', 'x-y'])(
    'is refused with the mount option %s',
    async (flag) => {
      expect(await codeOf(csi.controller.createVolume(wish({}, withFlags(flag))))).toBe(Status.INVALID_ARGUMENT);
      expect(await specOf()).toBeUndefined();
    },
  );

  test('says which word does not go with the engine', async () => {
    const refusal = await refusalOf(csi.controller.createVolume(wish({ 'storageos.com/replicas': '2', pool: 'fast' })));
    for (const key of ['storageos.com/replicas', 'pool']) {
      expect(refusal.details).toContain(`${key}: does not go with engine nfs`);
    }
    const typed = {
      ...mountable(),
      accessType: { $case: 'mount' as const, value: { fsType: 'xfs', mountFlags: [], volumeMountGroup: '' } },
    };
    expect((await refusalOf(csi.controller.createVolume(wish({}, typed)))).details).toContain('engine nfs');
    await csi.controller.createVolume(wish({ fsType: 'nfs', encryption: 'false' }));
  });

  test('is refused without a server, as a device, and where no node can mount NFS', async () => {
    const { capacityRange, name, volumeCapabilities } = wish();
    const without = { capacityRange, name, volumeCapabilities, parameters: { engine: 'nfs', share: '/export' } };
    expect(await refusalOf(csi.controller.createVolume(without))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await codeOf(csi.controller.createVolume(wish({}, blockOf(Mode.SINGLE_NODE_WRITER))))).toBe(
      Status.INVALID_ARGUMENT,
    );
    for (const { metadata } of (await world.client.list('StorageNode')).items) {
      await world.client.patch('StorageNode', metadata.name, { status: { engines: [] } }, { subresource: 'status' });
    }
    const nowhere = await refusalOf(csi.controller.createVolume(wish()));
    expect(nowhere).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    expect(nowhere.details).toContain('no node can mount NFS');
  });
});

describe('a volume on a share', () => {
  test('does not grow, for nobody keeps its size, and is not copied', async () => {
    await csi.controller.createVolume(wish());
    const grow = (requiredBytes: bigint) =>
      csi.controller.controllerExpandVolume({ volumeId: 'pvc-1', capacityRange: { requiredBytes, limitBytes: 0n } });
    expect(await codeOf(grow(2n * GIB))).toBe(Status.OUT_OF_RANGE);
    expect((await grow(GIB)).capacityBytes).toBe(GIB);
    const snapshot = csi.controller.createSnapshot({ name: 's1', sourceVolumeId: 'pvc-1' });
    expect(await codeOf(snapshot)).toBe(Status.FAILED_PRECONDITION);
    const source = { type: { $case: 'volume' as const, value: { volumeId: 'pvc-1' } } };
    const clone = csi.controller.createVolume({ ...wish(), name: 'pvc-2', volumeContentSource: source });
    expect([Status.FAILED_PRECONDITION, Status.INVALID_ARGUMENT]).toContain(await codeOf(clone));
    expect(await specOf('pvc-2')).toBeUndefined();
  });

  test('has the capacity that an agent saw on its share, which is not known before', async () => {
    const ask = () => csi.controller.getCapacity({ parameters: CLASS, volumeCapabilities: [mountable()] });
    expect(await codeOf(ask())).toBe(Status.UNIMPLEMENTED);
    await csi.controller.createVolume(wish());
    const seen = { capacityBytes: 100, freeBytes: 60 };
    await world.client.patch('Volume', 'pvc-1', { status: { engine: seen } }, { subresource: 'status' });
    expect((await ask()).availableCapacity).toBe(60n);
  });
});
