/** Volumes of engine local through CSI: each is used on its one node, and the calls say which. */
import { Status } from 'nice-grpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeSegments } from '../../src/domain/csi/topology.ts';
import {
  VolumeCapability_AccessMode_Mode as Mode,
  PluginCapability_Service_Type as Service,
} from '../../src/gen/csi/csi.ts';
import { blockOf, type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from './csi-world.ts';

const GIB = 1024n ** 3n;
const STAGING = `${TARGET_ROOT}/plugins/csi.holdfast.dev/pvc-1/globalmount`;
const TARGET = `${TARGET_ROOT}/pods/p1/volumes/pvc-1/mount`;
const WRITER = Mode.SINGLE_NODE_WRITER;

let world: CsiWorld;
let csi: CsiClient;
beforeEach(async () => {
  world = await startCsiWorld();
  csi = createCsiClient(world);
});
afterEach(async () => {
  csi.close();
  await world.stop();
});

const on = (...nodes: readonly string[]) => nodes.map((node) => ({ segments: nodeSegments(node) }));
const wish = (name = 'pvc-1', parameters: Readonly<Record<string, string>> = {}, bytes = GIB) => ({
  name,
  volumeCapabilities: [mountable(WRITER)],
  capacityRange: { requiredBytes: bytes, limitBytes: 0n },
  parameters: { engine: 'local', ...parameters },
});
const where = (requisite: readonly string[], preferred: readonly string[] = []) => ({
  accessibilityRequirements: { requisite: on(...requisite), preferred: on(...preferred) },
});
const specOf = async (name: string) => (await world.client.get('Volume', name))?.spec;

describe('topology', () => {
  test('is said by the driver, by each node, and by each volume that has a home', async () => {
    const { capabilities } = await csi.identity.getPluginCapabilities({});
    const services = capabilities.map(({ type }) => (type?.$case === 'service' ? type.value.type : undefined));
    expect(services).toContain(Service.VOLUME_ACCESSIBILITY_CONSTRAINTS);
    const info = await csi.node.nodeGetInfo({});
    expect(info).toMatchObject({ nodeId: 'kube1', accessibleTopology: { segments: nodeSegments('kube1') } });
    const { volume } = await csi.controller.createVolume({
      ...wish(),
      ...where(['kube2', 'kube3'], ['kube3', 'kube2']),
    });
    expect(volume?.accessibleTopology).toEqual(on('kube3'));
    const spread = await csi.controller.createVolume({ ...wish('pvc-2', { engine: 'gluster' }), ...where(['kube2']) });
    expect(spread.volume?.accessibleTopology).toEqual([]);
    const { entries } = await csi.controller.listVolumes({});
    expect(entries.map((entry) => entry.volume?.accessibleTopology)).toEqual([on('kube3'), []]);
    expect((await csi.controller.controllerGetVolume({ volumeId: 'pvc-1' })).volume?.accessibleTopology).toEqual(
      on('kube3'),
    );
  });

  test('that is preferred is taken while it has room, and then the next that is allowed', async () => {
    const large = wish('pvc-1', {}, 8n * GIB);
    const order = where(['kube1', 'kube2'], ['kube2', 'kube1']);
    expect((await csi.controller.createVolume({ ...large, ...order })).volume?.accessibleTopology).toEqual(on('kube2'));
    const next = await csi.controller.createVolume({ ...large, name: 'pvc-2', ...order });
    expect(next.volume?.accessibleTopology).toEqual(on('kube1'));
    const only = csi.controller.createVolume({ ...large, name: 'pvc-3', ...where(['kube2']) });
    expect(await refusalOf(only)).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    expect(await specOf('pvc-3')).toBeUndefined();
  });

  test('that no node is in has no room, and one of another driver is none', async () => {
    const nowhere = csi.controller.createVolume({ ...wish(), ...where(['kube9']) });
    expect(await refusalOf(nowhere)).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    const requisite = [{ segments: { 'topology.kubernetes.io/zone': 'a' } }];
    const zone = csi.controller.createVolume({ ...wish(), accessibilityRequirements: { requisite, preferred: [] } });
    expect((await refusalOf(zone)).details).toContain('topology.holdfast.dev/node');
    expect(await specOf('pvc-1')).toBeUndefined();
  });

  test('of a volume that is there has to be one that the same call allows', async () => {
    await csi.controller.createVolume({ ...wish(), ...where(['kube2']) });
    const again = await csi.controller.createVolume({ ...wish(), ...where(['kube1', 'kube2'], ['kube1']) });
    expect(again.volume?.accessibleTopology).toEqual(on('kube2'));
    const elsewhere = csi.controller.createVolume({ ...wish(), ...where(['kube1']) });
    expect(await refusalOf(elsewhere)).toMatchObject({ code: Status.ALREADY_EXISTS });
  });

  test('of a clone is that of its source', async () => {
    await csi.controller.createVolume({ ...wish(), ...where(['kube2']) });
    await csi.controller.createSnapshot({ name: 'snap-1', sourceVolumeId: 'pvc-1' });
    for (const type of [
      { $case: 'snapshot' as const, value: { snapshotId: 'snap-1' } },
      { $case: 'volume' as const, value: { volumeId: 'pvc-1' } },
    ]) {
      const clone = { ...wish(`of-${type.$case}`), volumeContentSource: { type } };
      const elsewhere = csi.controller.createVolume({ ...clone, ...where(['kube1']) });
      expect(await refusalOf(elsewhere)).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
      const { volume } = await csi.controller.createVolume({ ...clone, ...where(['kube1', 'kube2'], ['kube1']) });
      expect(volume?.accessibleTopology).toEqual(on('kube2'));
      const other = csi.controller.createVolume({ ...clone, name: 'other', parameters: { engine: 'gluster' } });
      expect(await refusalOf(other)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
  });

  test('has its own capacity, where volumes stay in it', async () => {
    const ask = async (engine: string, node: string) => {
      const volumeCapabilities = [mountable(WRITER)];
      const accessibleTopology = { segments: nodeSegments(node) };
      const { availableCapacity } = await csi.controller.getCapacity({
        ...{ parameters: { engine }, volumeCapabilities, accessibleTopology },
      });
      return availableCapacity;
    };
    const [first, second] = [await ask('local', 'kube1'), await ask('local', 'kube9')];
    expect(second).toBe(0n);
    const { volume } = await csi.controller.createVolume({ ...wish('all', {}, first), ...where(['kube1']) });
    expect(volume?.capacityBytes).toBe(first);
    const over = csi.controller.createVolume({ ...wish('over', {}, first + 1024n ** 2n), ...where(['kube2']) });
    expect(await refusalOf(over)).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    expect(await ask('gluster', 'kube9')).toBe(await ask('gluster', 'kube1'));
  });
});

describe('use', () => {
  test('on its node, all the way into a pod, and on no other', async () => {
    await csi.controller.createVolume({ ...wish(), ...where(['kube1']) });
    const volumeCapability = mountable(WRITER);
    const published = { volumeId: 'pvc-1', volumeCapability };
    const elsewhere = csi.controller.controllerPublishVolume({ ...published, nodeId: 'kube2' });
    const refusal = await refusalOf(elsewhere);
    expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(refusal.details).toContain('local to node kube1');
    await csi.controller.controllerPublishVolume({ ...published, nodeId: 'kube1' });
    await csi.node.nodeStageVolume({ ...published, stagingTargetPath: STAGING });
    await csi.node.nodePublishVolume({ ...published, stagingTargetPath: STAGING, targetPath: TARGET });
    expect(world.host.mountTable().at(-1)).toMatchObject({ target: TARGET, options: ['rw', 'nosuid', 'nodev'] });
    const grown = await csi.controller.controllerExpandVolume({
      ...{ volumeId: 'pvc-1', capacityRange: { requiredBytes: 2n * GIB, limitBytes: 0n } },
    });
    expect(grown).toMatchObject({ capacityBytes: 2n * GIB, nodeExpansionRequired: false });
  });

  test('by one pod alone, though another volume of the pool is in use in a directory of the same file system', async () => {
    const volumeCapability = mountable(Mode.SINGLE_NODE_SINGLE_WRITER);
    for (const name of ['one', 'two']) {
      const staging = `${TARGET_ROOT}/staging/${name}`;
      await csi.controller.createVolume({ ...wish(name, { brick: 'directory' }), ...where(['kube1']) });
      const published = { volumeId: name, volumeCapability };
      await csi.controller.controllerPublishVolume({ ...published, nodeId: 'kube1' });
      await csi.node.nodeStageVolume({ ...published, stagingTargetPath: staging });
      const pod = { ...published, stagingTargetPath: staging };
      await csi.node.nodePublishVolume({ ...pod, targetPath: `${TARGET_ROOT}/pods/${name}` });
      const second = csi.node.nodePublishVolume({ ...pod, targetPath: `${TARGET_ROOT}/pods/${name}-2` });
      expect(await refusalOf(second)).toMatchObject({ code: Status.FAILED_PRECONDITION });
    }
    // One volume bound where the other is staged is something else, though it is the same file system.
    const wrong = { volumeId: 'one', volumeCapability, stagingTargetPath: `${TARGET_ROOT}/staging/two` };
    const call = csi.node.nodePublishVolume({ ...wrong, targetPath: `${TARGET_ROOT}/pods/x` });
    expect(await refusalOf(call)).toMatchObject({ code: Status.FAILED_PRECONDITION });
  });

  test('only in ways that one node can have it', async () => {
    await csi.controller.createVolume(wish());
    const validate = (volumeCapability: ReturnType<typeof mountable>) =>
      csi.controller.validateVolumeCapabilities({ volumeId: 'pvc-1', volumeCapabilities: [volumeCapability] });
    for (const mode of [
      WRITER,
      Mode.SINGLE_NODE_READER_ONLY,
      Mode.SINGLE_NODE_SINGLE_WRITER,
      Mode.SINGLE_NODE_MULTI_WRITER,
    ]) {
      expect((await validate(mountable(mode))).confirmed).toBeDefined();
    }
    for (const other of [Mode.MULTI_NODE_MULTI_WRITER, Mode.MULTI_NODE_READER_ONLY].map((mode) => mountable(mode))) {
      expect((await validate(other)).message).toContain('one node');
      const created = csi.controller.createVolume({ ...wish('pvc-2'), volumeCapabilities: [other] });
      expect(await refusalOf(created)).toMatchObject({ code: Status.INVALID_ARGUMENT });
      const published = csi.controller.controllerPublishVolume({
        ...{ volumeId: 'pvc-1', nodeId: 'kube1', volumeCapability: other },
      });
      expect(await refusalOf(published)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
  });
});

describe('what a class may ask', () => {
  test.each([
    [{}, '', undefined],
    [{ fsType: 'ext4' }, '', 'ext4'],
    [{}, 'ext4', 'ext4'],
    [{ fsType: 'ext4' }, 'ext4', 'ext4'],
    [{ fsType: 'btrfs' }, '', 'btrfs'],
    [{}, 'btrfs', 'btrfs'],
    [{ brick: 'directory' }, '', undefined],
    [{ encryption: 'true' }, 'ext4', 'ext4'],
    [{ 'storageos.com/replicas': '0' }, 'xfs', 'xfs'],
  ] as const)('%o with file system %j of the capability is made with %j', async (parameters, asked, fsType) => {
    const volumeCapabilities = [mountable(WRITER, [], asked)];
    await csi.controller.createVolume({ ...wish('pvc-1', parameters), volumeCapabilities });
    expect(await specOf('pvc-1')).toMatchObject({ engine: 'local', layout: 'single' });
    expect((await specOf('pvc-1'))?.fsType).toBe(fsType);
  });

  test.each([
    [{ fsType: 'ext4' }, 'xfs'],
    [{ fsType: 'glusterfs' }, ''],
    [{ brick: 'directory' }, 'ext4'],
    [{ brick: 'directory', fsType: 'ext4' }, ''],
    [{ replicas: '3' }, ''],
    [{ layout: 'replicated' }, ''],
    [{ profile: 'database' }, ''],
    [{ shard: 'true' }, ''],
  ] as const)('%o with file system %j of the capability is refused', async (parameters, asked) => {
    const volumeCapabilities = [mountable(WRITER, [], asked)];
    const call = csi.controller.createVolume({ ...wish('pvc-1', parameters), volumeCapabilities });
    expect(await refusalOf(call)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await specOf('pvc-1')).toBeUndefined();
  });

  test('a device, which a volume of GlusterFS is not, nor a directory, nor one and the same volume', async () => {
    const directory = { ...wish('pvc-1', { brick: 'directory' }), volumeCapabilities: [blockOf(WRITER)] };
    expect(await refusalOf(csi.controller.createVolume(directory))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    const both = { ...wish(), volumeCapabilities: [blockOf(WRITER), mountable(WRITER)] };
    expect(await refusalOf(csi.controller.createVolume(both))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    const formatted = { ...wish('pvc-1', { fsType: 'xfs' }), volumeCapabilities: [blockOf(WRITER)] };
    expect(await refusalOf(csi.controller.createVolume(formatted))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    const gluster = { ...wish('pvc-1', { engine: 'gluster' }), volumeCapabilities: [blockOf(WRITER)] };
    expect(await refusalOf(csi.controller.createVolume(gluster))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await specOf('pvc-1')).toBeUndefined();
  });
});

test('what only LUKS encrypts is refused where no node has that, and made where one has', async () => {
  const parameters = { encryption: 'true' };
  const wishes = {
    'pvc-1': { ...wish('pvc-1', parameters), volumeCapabilities: [blockOf(WRITER)] },
    'pvc-2': { ...wish('pvc-2', parameters), volumeCapabilities: [mountable(WRITER, [], 'btrfs')] },
  };
  for (const asked of Object.values(wishes)) {
    const { code, details } = await refusalOf(csi.controller.createVolume(asked));
    expect([code, details]).toEqual([Status.RESOURCE_EXHAUSTED, expect.stringContaining('the node has no LUKS')]);
  }
  const able = { abilities: ['btrfs', 'luks'], name: 'local', isInstalled: true, isRunning: true };
  await world.client.patch('StorageNode', 'kube1', { status: { engines: [able] } }, { subresource: 'status' });
  for (const asked of Object.values(wishes)) await csi.controller.createVolume(asked);
  expect(await specOf('pvc-1')).toMatchObject({ brick: 'block', encryption: true });
  expect(await specOf('pvc-2')).toMatchObject({ fsType: 'btrfs', encryption: true });
});

describe('a device', () => {
  const volumeCapability = blockOf(WRITER);
  const published = { volumeId: 'pvc-1', volumeCapability };
  const pod = { ...published, stagingTargetPath: STAGING, targetPath: TARGET };
  const device = { ...wish(), volumeCapabilities: [volumeCapability], ...where(['kube1']) };
  const bring = async () => {
    await csi.controller.createVolume(device);
    await csi.controller.controllerPublishVolume({ ...published, nodeId: 'kube1' });
    await csi.node.nodeStageVolume({ ...published, stagingTargetPath: STAGING });
  };

  test('goes all the way to a file of a pod and out again, each call twice, and leaves nothing', async () => {
    for (let round = 0; round < 2; round += 1) {
      await bring();
      await csi.node.nodePublishVolume(pod);
    }
    expect(await specOf('pvc-1')).toMatchObject({ engine: 'local', brick: 'block' });
    const table = world.host.mountTable();
    expect(table.map(({ root }) => root)).toEqual(['/loop5', '/loop5', '/loop5']);
    expect(table.at(-1)).toMatchObject({ target: TARGET, options: ['rw'] });
    const { usage, volumeCondition } = await csi.node.nodeGetVolumeStats({ volumeId: 'pvc-1', volumePath: TARGET });
    expect(usage).toMatchObject([{ total: GIB }]);
    expect(volumeCondition).toMatchObject({ abnormal: false });
    for (let round = 0; round < 2; round += 1) {
      await csi.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: TARGET });
      await csi.node.nodeUnstageVolume({ volumeId: 'pvc-1', stagingTargetPath: STAGING });
      await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1' });
      await csi.controller.deleteVolume({ volumeId: 'pvc-1' });
    }
    expect(world.host.mountTable()).toEqual([]);
    expect(world.host.entries.has(TARGET)).toBe(false);
    expect(world.host.entries.has(`${STAGING}/device`)).toBe(false);
  });

  test('is no file system, and a file system is no device', async () => {
    await bring();
    const mount = mountable(WRITER);
    const { message } = await csi.controller.validateVolumeCapabilities({
      ...{ volumeId: 'pvc-1', volumeCapabilities: [mount] },
    });
    expect(message).toContain('no file system');
    for (const call of [
      () => csi.node.nodePublishVolume({ ...pod, volumeCapability: mount }),
      () => csi.node.nodeStageVolume({ ...published, stagingTargetPath: STAGING, volumeCapability: mount }),
      () => csi.controller.controllerPublishVolume({ ...published, nodeId: 'kube1', volumeCapability: mount }),
    ]) {
      expect(await refusalOf(call())).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
    const again = csi.controller.createVolume({ ...device, volumeCapabilities: [mount] });
    expect(await refusalOf(again)).toMatchObject({ code: Status.ALREADY_EXISTS });
  });

  test('is read-only for its node or for nobody', async () => {
    await bring();
    const refusal = await refusalOf(csi.node.nodePublishVolume({ ...pod, readonly: true }));
    expect(refusal).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(refusal.details).toContain('read-only');
  });

  test('is bound to no folder, and to no file that holds something of somebody else', async () => {
    await bring();
    (world.host.entries as Map<string, string>).set(TARGET, 'directory');
    expect(await refusalOf(csi.node.nodePublishVolume(pod))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(world.host.mountTable()).toHaveLength(2);
  });
});

test('a failure mode is no word for a volume of one copy, neither in its class nor afterwards', async () => {
  for (const key of ['failureMode', 'storageos.com/failure-mode']) {
    const asked = await refusalOf(csi.controller.createVolume(wish('pvc-1', { [key]: 'hard' })));
    expect(asked).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(asked.details).toContain('does not go with engine local');
  }
  await csi.controller.createVolume(wish());
  const change = { volumeId: 'pvc-1', mutableParameters: { failureMode: 'hard' } };
  const refused = await refusalOf(csi.controller.controllerModifyVolume(change));
  expect(refused).toMatchObject({ code: Status.INVALID_ARGUMENT });
  expect(refused.details).toContain('does not go with engine local');
  await csi.controller.createVolume(wish('pvc-2', { engine: 'gluster', failureMode: 'hard' }));
  await csi.controller.controllerModifyVolume({ ...change, volumeId: 'pvc-2' });
});

describe('a thin volume', () => {
  const discarding = (parameters: Readonly<Record<string, string>>) => ({
    ...wish('pvc-1', parameters),
    volumeCapabilities: [mountable(WRITER, ['discard'])],
  });

  test('is made for who asks, and is the only kind that may be mounted with discard', async () => {
    const refused = await refusalOf(csi.controller.createVolume(discarding({})));
    expect(refused).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(refused.details).toContain('thinProvision: "true"');
    expect(await specOf('pvc-1')).toBeUndefined();
    await csi.controller.createVolume(discarding({ thinProvision: 'true' }));
    expect(await specOf('pvc-1')).toMatchObject({ engine: 'local', thinProvision: true });
    const [volumeCapability] = discarding({}).volumeCapabilities;
    const use = { volumeId: 'pvc-1', volumeCapability };
    await csi.controller.controllerPublishVolume({ ...use, nodeId: 'kube1' });
    await csi.node.nodeStageVolume({ ...use, stagingTargetPath: STAGING });
    await csi.node.nodePublishVolume({ ...use, stagingTargetPath: STAGING, targetPath: TARGET });
    const { confirmed } = await csi.controller.validateVolumeCapabilities({
      ...{ volumeId: 'pvc-1', volumeCapabilities: discarding({}).volumeCapabilities },
    });
    expect(confirmed).toBeDefined();
  });

  test('is no other one by its class: neither a clone of one that is not, nor the same name', async () => {
    await csi.controller.createVolume(wish());
    const thin = { thinProvision: 'true' };
    const same = await refusalOf(csi.controller.createVolume(wish('pvc-1', thin)));
    expect(same).toMatchObject({ code: Status.ALREADY_EXISTS });
    const type = { $case: 'volume' as const, value: { volumeId: 'pvc-1' } };
    const clone = { ...wish('pvc-2', thin), volumeContentSource: { type } };
    expect(await refusalOf(csi.controller.createVolume(clone))).toMatchObject({ code: Status.INVALID_ARGUMENT });
  });

  test.each([{ engine: 'gluster' }, { engine: 'gluster', replicas: '3' }, { brick: 'directory' }])(
    'is refused of %o',
    async (parameters) => {
      const asked = csi.controller.createVolume(wish('pvc-1', { ...parameters, thinProvision: 'true' }));
      expect((await refusalOf(asked)).details).toContain('thinProvision');
      expect(await specOf('pvc-1')).toBeUndefined();
    },
  );
});
