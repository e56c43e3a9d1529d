/** What the CSI text and kubelet ask of the driver, over real sockets. */
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { Status } from 'nice-grpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VolumeCapability_AccessMode_Mode as Mode } from '../../src/gen/csi/csi.ts';
import { type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from './csi-world.ts';

const GIB = 1024n ** 3n;
const STAGING = `${TARGET_ROOT}/plugins/csi.holdfast.dev/pvc-1/globalmount`;
/** What is bound there: not at the path itself, or kubelet would never let go of it. */
const STAGED = `${STAGING}/volume`;
const TARGET = `${TARGET_ROOT}/pods/p1/volumes/pvc-1/mount`;
const MOUNT = '/var/lib/holdfast/mounts/pvc-1';

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

const range = (requiredBytes: bigint, limitBytes = 0n) => ({ requiredBytes, limitBytes });
const wish = (name = 'pvc-1') => ({ name, volumeCapabilities: [mountable()], capacityRange: range(GIB) });
const publish = (nodeId = 'kube1', mode: Mode = Mode.MULTI_NODE_MULTI_WRITER) =>
  csi.controller.controllerPublishVolume({ volumeId: 'pvc-1', nodeId, volumeCapability: mountable(mode) });
const stage = (volumeCapability = mountable()) =>
  csi.node.nodeStageVolume({ volumeId: 'pvc-1', stagingTargetPath: STAGING, volumeCapability });
const bind = (targetPath = TARGET, volumeCapability = mountable(), readonly = false) =>
  csi.node.nodePublishVolume({ volumeId: 'pvc-1', stagingTargetPath: STAGING, targetPath, volumeCapability, readonly });
const volumes = async () => (await world.client.list('Volume')).items.map((volume) => volume.metadata.name);
const targets = () => world.host.mountTable().map((mount) => mount.target);

describe('a volume', () => {
  test('is published to no node that is fenced, whether that is proven or not', async () => {
    await csi.controller.createVolume(wish());
    const node = await world.client.get('StorageNode', 'kube1');
    const spec = {
      node: 'kube1',
      nodeUid: node?.metadata.uid,
      bootId: 'b',
      addresses: ['10.0.0.1'],
      reason: 'it hangs',
    };
    await world.client.create('FenceRecord', { metadata: { name: 'kube1' }, spec });
    const refusal = await refusalOf(publish());
    expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(refusal.details).toMatch(/node kube1 is fenced since .*: it hangs/);
    expect((await world.client.list('VolumeAttachmentRecord')).items).toEqual([]);
    await publish('kube2');
    await world.client.delete('FenceRecord', 'kube1');
    await publish();
  });

  test('goes all the way into a pod and out again, each call twice, and leaves nothing', async () => {
    for (let round = 0; round < 2; round += 1) {
      const { volume } = await csi.controller.createVolume(wish());
      expect(volume).toMatchObject({ volumeId: 'pvc-1', capacityBytes: GIB });
      await publish();
      await stage();
      await bind();
    }
    expect(targets()).toEqual([MOUNT, STAGED, TARGET]);
    expect(world.host.mountTable().at(-1)?.options).toEqual(['rw', 'nosuid', 'nodev']);
    const stats = await csi.node.nodeGetVolumeStats({ volumeId: 'pvc-1', volumePath: TARGET });
    expect(stats.usage[0]).toMatchObject({ total: 4_096_000n, used: 1_638_400n, available: 2_048_000n });
    expect(stats.volumeCondition).toMatchObject({ abnormal: false });
    for (const volumePath of ['some/path', `${TARGET}2`, '/etc']) {
      const elsewhere = csi.node.nodeGetVolumeStats({ volumeId: 'pvc-1', volumePath });
      expect(await refusalOf(elsewhere)).toMatchObject({ code: Status.NOT_FOUND });
    }
    expect(await refusalOf(csi.controller.deleteVolume({ volumeId: 'pvc-1' }))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
    for (let round = 0; round < 2; round += 1) {
      await csi.node.nodeUnpublishVolume({ volumeId: 'pvc-1', targetPath: TARGET });
      await csi.node.nodeUnstageVolume({ volumeId: 'pvc-1', stagingTargetPath: STAGING });
      await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1' });
      await csi.controller.deleteVolume({ volumeId: 'pvc-1' });
    }
    expect(targets()).toEqual([]);
    expect(world.host.entries.has(TARGET)).toBe(false);
    expect(await volumes()).toEqual([]);
    expect((await world.client.list('VolumeAttachmentRecord')).items).toEqual([]);
  });

  test('of the same name and another shape is refused', async () => {
    await csi.controller.createVolume(wish());
    for (const other of [
      { capacityRange: range(2n * GIB) },
      { capacityRange: range(0n, GIB / 2n) },
      { parameters: { replicas: '1' } },
      { volumeContentSource: { type: { $case: 'volume' as const, value: { volumeId: 'pvc-1' } } } },
    ]) {
      const { code } = await refusalOf(csi.controller.createVolume({ ...wish(), ...other }));
      expect(code).toBe(Status.ALREADY_EXISTS);
    }
  });

  test('that people made is neither taken over nor deleted by a call', async () => {
    await world.client.create('Volume', { metadata: { name: 'pvc-1' }, spec: { size: '1Gi' } });
    expect(await refusalOf(csi.controller.createVolume(wish()))).toMatchObject({ code: Status.ALREADY_EXISTS });
    const refusal = await refusalOf(csi.controller.deleteVolume({ volumeId: 'pvc-1' }));
    expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(refusal.details).toContain('holdfast volume delete pvc-1');
    expect(await volumes()).toEqual(['pvc-1']);
  });

  test('grows, and never shrinks', async () => {
    await csi.controller.createVolume(wish());
    const grown = await csi.controller.controllerExpandVolume({ volumeId: 'pvc-1', capacityRange: range(2n * GIB) });
    expect(grown).toMatchObject({ capacityBytes: 2n * GIB, nodeExpansionRequired: false });
    const again = await csi.controller.controllerExpandVolume({ volumeId: 'pvc-1', capacityRange: range(GIB) });
    expect(again.capacityBytes).toBe(2n * GIB);
    const limited = csi.controller.controllerExpandVolume({ volumeId: 'pvc-1', capacityRange: range(0n, GIB) });
    expect(await refusalOf(limited)).toMatchObject({ code: Status.OUT_OF_RANGE });
  });

  test('that finds no room is told with the reasons, and nothing of it stays', async () => {
    const refusal = await refusalOf(csi.controller.createVolume({ ...wish(), capacityRange: range(100n * GIB) }));
    expect(refusal.code).toBe(Status.RESOURCE_EXHAUSTED);
    expect(refusal.details).toContain('node kube1');
    expect(await volumes()).toEqual([]);
    const { availableCapacity } = await csi.controller.getCapacity({ volumeCapabilities: [mountable()] });
    const fits = { ...wish(), capacityRange: range(availableCapacity) };
    const isOver = { ...wish('pvc-2'), capacityRange: range(availableCapacity + 1024n ** 2n) };
    expect(await refusalOf(csi.controller.createVolume(isOver))).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    expect((await csi.controller.createVolume(fits)).volume?.capacityBytes).toBe(availableCapacity);
  });
});

describe('snapshots and clones', () => {
  const snapshot = (name = 'snap-1') => csi.controller.createSnapshot({ name, sourceVolumeId: 'pvc-1' });
  const from = (
    name: string,
    value: { $case: 'snapshot'; value: { snapshotId: string } } | { $case: 'volume'; value: { volumeId: string } },
  ) => {
    const { capacityRange: _none, ...rest } = wish(name);
    return { ...rest, volumeContentSource: { type: value } };
  };

  test('a snapshot is taken once, listed, cloned, and deleted', async () => {
    await csi.controller.createVolume(wish());
    const [first, second] = [await snapshot(), await snapshot()];
    expect(first.snapshot).toMatchObject({ snapshotId: 'snap-1', sizeBytes: GIB, readyToUse: true });
    expect(first.snapshot?.creationTime).toMatchObject({ nanos: 250_000_000 });
    expect(second).toEqual(first);
    const clone = from('pvc-2', { $case: 'snapshot', value: { snapshotId: 'snap-1' } });
    expect((await csi.controller.createVolume(clone)).volume).toMatchObject({ volumeId: 'pvc-2', capacityBytes: GIB });
    expect((await csi.controller.createVolume(clone)).volume?.contentSource).toEqual(clone.volumeContentSource);
    const listed = await csi.controller.listSnapshots({ sourceVolumeId: 'pvc-1' });
    expect(listed.entries.map(({ snapshot: each }) => each?.snapshotId)).toEqual(['snap-1']);
    expect((await csi.controller.listSnapshots({ snapshotId: 'none' })).entries).toEqual([]);
    await csi.controller.deleteSnapshot({ snapshotId: 'snap-1' });
    await csi.controller.deleteSnapshot({ snapshotId: 'snap-1' });
    expect((await csi.controller.listSnapshots({})).entries).toEqual([]);
  });

  test('a clone of a volume is as large as asked, and not smaller than its source', async () => {
    await csi.controller.createVolume({ ...wish(), capacityRange: range(2n * GIB) });
    const clone = from('pvc-2', { $case: 'volume', value: { volumeId: 'pvc-1' } });
    const { volume } = await csi.controller.createVolume({ ...clone, capacityRange: range(3n * GIB) });
    expect(volume?.capacityBytes).toBe(3n * GIB);
    const small = { ...clone, name: 'pvc-3', capacityRange: range(0n, GIB) };
    expect(await refusalOf(csi.controller.createVolume(small))).toMatchObject({ code: Status.OUT_OF_RANGE });
    const other = { ...clone, name: 'pvc-3', parameters: { pool: 'fast' } };
    expect(await refusalOf(csi.controller.createVolume(other))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect(await volumes()).toEqual(['pvc-1', 'pvc-2']);
    expect((await world.client.list('VolumeSnapshotRecord')).items).toEqual([]);
  });

  test('nothing is cloned from what is not there, and a name is one volume’s', async () => {
    await csi.controller.createVolume(wish());
    await csi.controller.createVolume(wish('pvc-2'));
    await snapshot();
    const clone = from('pvc-3', { $case: 'snapshot', value: { snapshotId: 'none' } });
    expect(await refusalOf(csi.controller.createVolume(clone))).toMatchObject({ code: Status.NOT_FOUND });
    const taken = csi.controller.createSnapshot({ name: 'snap-1', sourceVolumeId: 'pvc-2' });
    expect(await refusalOf(taken)).toMatchObject({ code: Status.ALREADY_EXISTS });
    const unknown = csi.controller.createSnapshot({ name: 'snap-2', sourceVolumeId: 'pvc-9' });
    expect(await refusalOf(unknown)).toMatchObject({ code: Status.NOT_FOUND });
  });
});

describe('who may have it', () => {
  test('one node alone, or all, as the access mode says', async () => {
    await csi.controller.createVolume(wish());
    await publish('kube1', Mode.SINGLE_NODE_WRITER);
    expect(await refusalOf(publish('kube2', Mode.SINGLE_NODE_WRITER))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
    expect(await refusalOf(publish('kube2'))).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(await refusalOf(publish('kube1'))).toMatchObject({ code: Status.ALREADY_EXISTS });
    await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: '' });
    await publish('kube1');
    await publish('kube2');
    const { entries } = await csi.controller.listVolumes({});
    expect(entries[0]?.status?.publishedNodeIds.toSorted()).toEqual(['kube1', 'kube2']);
    expect(await refusalOf(publish('kube3', Mode.SINGLE_NODE_WRITER))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
  });

  test('nobody as the only one who writes while others write by NFS', async () => {
    await csi.controller.createVolume(wish());
    const exported = (isReadOnly: boolean) => {
      const served = { id: 7, clients: ['10.10.0.0/16'], squash: 'none', mayGoBeyond: false } as const;
      const spec = { volume: 'pvc-1', node: 'kube2', mountPath: '/pvc-1', isReadOnly, export: served };
      return world.client.create('VolumeAttachmentRecord', { metadata: { name: 'pvc-1.nfs.kube2' }, spec });
    };
    await exported(false);
    for (const mode of [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_MULTI_WRITER]) {
      const refusal = await refusalOf(publish('kube1', mode));
      expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
      expect(refusal.details).toContain('exported by NFS on kube2');
      expect(refusal.details).toContain('holdfast volume unexport pvc-1');
    }
    await publish('kube1', Mode.SINGLE_NODE_READER_ONLY);
    await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1' });
    await publish('kube1');
    await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1' });
    await world.client.delete('VolumeAttachmentRecord', 'pvc-1.nfs.kube2');
    await exported(true);
    await publish('kube1', Mode.SINGLE_NODE_WRITER);
  });

  test('nobody as the only one who writes while a plan has it mounted for writing on another node', async () => {
    await csi.controller.createVolume(wish());
    const mounted = (isReadOnly: boolean) => {
      const spec = { volume: 'pvc-1', node: 'kube2', mountPath: '/data', isReadOnly };
      return world.client.create('VolumeAttachmentRecord', { metadata: { name: 'pvc-1.kube2' }, spec });
    };
    await mounted(false);
    for (const mode of [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_MULTI_WRITER]) {
      const refusal = await refusalOf(publish('kube1', mode));
      expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
      expect(refusal.details).toContain('mounted at /data on kube2');
    }
    // The same node is no other one; the one pod of a claim is.
    expect(await refusalOf(publish('kube2', Mode.SINGLE_NODE_SINGLE_WRITER))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
    await publish('kube2', Mode.SINGLE_NODE_WRITER);
    await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube2' });
    await publish('kube1');
    await csi.controller.controllerUnpublishVolume({ volumeId: 'pvc-1', nodeId: 'kube1' });
    await world.client.delete('VolumeAttachmentRecord', 'pvc-1.kube2');
    await mounted(true);
    await publish('kube1', Mode.SINGLE_NODE_WRITER);
  });

  test('nobody as the only one who writes when it is exported at the same moment', async () => {
    await csi.controller.createVolume(wish());
    const { create } = world.client;
    const served = { id: 7, clients: ['10.10.0.0/16'], squash: 'none', mayGoBeyond: false } as const;
    const spec = { volume: 'pvc-1', node: 'kube2', mountPath: '/pvc-1', isReadOnly: false, export: served };
    world.client.create = async (...request) => {
      const made = await create(...request);
      world.client.create = create;
      await create('VolumeAttachmentRecord', { metadata: { name: 'pvc-1.nfs.kube2' }, spec });
      return made;
    };
    expect(await refusalOf(publish('kube1', Mode.SINGLE_NODE_WRITER))).toMatchObject({
      code: Status.FAILED_PRECONDITION,
    });
    const left = async () =>
      (await world.client.list('VolumeAttachmentRecord')).items.map((each) => each.metadata.name);
    await expect.poll(left).toEqual(['pvc-1.nfs.kube2']);
  });

  test('one pod alone with ReadWriteOncePod', async () => {
    const mode = Mode.SINGLE_NODE_SINGLE_WRITER;
    await csi.controller.createVolume(wish());
    await publish('kube1', mode);
    await stage(mountable(mode));
    await bind(TARGET, mountable(mode));
    const refusal = await refusalOf(bind(`${TARGET}2`, mountable(mode)));
    expect(refusal).toMatchObject({ code: Status.FAILED_PRECONDITION });
    expect(refusal.details).toContain(TARGET);
  });

  // kubelet names one of the access modes of a PersistentVolume where the attacher takes them all together.
  test.each([
    [Mode.MULTI_NODE_MULTI_WRITER, Mode.SINGLE_NODE_WRITER, 'rw'],
    [Mode.MULTI_NODE_MULTI_WRITER, Mode.MULTI_NODE_READER_ONLY, 'ro'],
    [Mode.MULTI_NODE_READER_ONLY, Mode.SINGLE_NODE_READER_ONLY, 'ro'],
    [Mode.SINGLE_NODE_MULTI_WRITER, Mode.SINGLE_NODE_WRITER, 'rw'],
    [Mode.MULTI_NODE_READER_ONLY, Mode.MULTI_NODE_MULTI_WRITER, undefined],
    [Mode.SINGLE_NODE_READER_ONLY, Mode.SINGLE_NODE_WRITER, undefined],
    [Mode.SINGLE_NODE_WRITER, Mode.MULTI_NODE_MULTI_WRITER, undefined],
    [Mode.SINGLE_NODE_WRITER, Mode.MULTI_NODE_READER_ONLY, undefined],
    [Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_WRITER, undefined],
    [Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_READER_ONLY, undefined],
    [Mode.MULTI_NODE_MULTI_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER, undefined],
  ])('who has it with mode %i uses it as %i: %s', async (had, asked, access) => {
    await csi.controller.createVolume(wish());
    await publish('kube1', had);
    if (access === undefined)
      expect(await refusalOf(stage(mountable(asked)))).toMatchObject({ code: Status.ALREADY_EXISTS });
    else await stage(mountable(asked));
    await stage(mountable(had));
    const bound = bind(TARGET, mountable(asked));
    if (access === undefined) {
      expect(await refusalOf(bound)).toMatchObject({ code: Status.ALREADY_EXISTS });
      expect(targets()).not.toContain(TARGET);
    } else {
      await bound;
      expect(world.host.mountTable().at(-1)).toMatchObject({ target: TARGET, options: [access, 'nosuid', 'nodev'] });
    }
  });

  test('nobody before it is published and staged, and nobody writes who may only read', async () => {
    await csi.controller.createVolume(wish());
    expect(await refusalOf(stage())).toMatchObject({ code: Status.FAILED_PRECONDITION });
    await publish();
    expect(await refusalOf(bind())).toMatchObject({ code: Status.FAILED_PRECONDITION });
    await stage();
    await bind(TARGET, mountable(Mode.MULTI_NODE_MULTI_WRITER, ['noexec', 'noatime']), true);
    expect(world.host.mountTable().at(-1)?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime']);
    expect(await refusalOf(bind())).toMatchObject({ code: Status.ALREADY_EXISTS });
  });

  test('a mount that died is bound anew, and something else at a path is left alone', async () => {
    await csi.controller.createVolume(wish());
    await publish();
    await stage();
    await bind();
    world.host.kill(TARGET);
    const stats = await csi.node.nodeGetVolumeStats({ volumeId: 'pvc-1', volumePath: TARGET });
    expect(stats).toMatchObject({ usage: [], volumeCondition: { abnormal: true } });
    // As the agent does, on its next look.
    world.host.unmountVolume(MOUNT);
    world.host.mountVolume('pvc-1', MOUNT);
    await stage();
    await bind();
    expect(await csi.node.nodeGetVolumeStats({ volumeId: 'pvc-1', volumePath: TARGET })).toMatchObject({
      volumeCondition: { abnormal: false },
    });
    expect(targets().filter((target) => target === TARGET)).toHaveLength(1);
    world.host.mountVolume('other', `${TARGET}2`);
    expect(await refusalOf(bind(`${TARGET}2`))).toMatchObject({ code: Status.FAILED_PRECONDITION });
  });
});

describe('calls', () => {
  test('a second one for the same name is turned away while the first is at work', async () => {
    const letGo = world.holdBack();
    const first = csi.controller.createVolume(wish());
    await expect.poll(volumes).toEqual(['pvc-1']);
    expect(await refusalOf(csi.controller.createVolume(wish()))).toMatchObject({ code: Status.ABORTED });
    expect(await refusalOf(csi.controller.deleteVolume({ volumeId: 'pvc-1' }))).toMatchObject({ code: Status.ABORTED });
    const other = csi.controller.createVolume(wish('pvc-2'));
    letGo();
    expect((await first).volume?.volumeId).toBe('pvc-1');
    expect((await other).volume?.volumeId).toBe('pvc-2');
  });

  test('one that is given up lets go of the name, and the same call goes on with what it began', async () => {
    const letGo = world.holdBack();
    const hangUp = new AbortController();
    const first = csi.controller.createVolume(wish(), { signal: hangUp.signal });
    await expect.poll(volumes).toEqual(['pvc-1']);
    hangUp.abort();
    await expect(first).rejects.toThrow('aborted');
    letGo();
    await expect
      .poll(() =>
        csi.controller.createVolume(wish()).then(
          () => 'made',
          () => 'busy',
        ),
      )
      .toBe('made');
    expect(await volumes()).toEqual(['pvc-1']);
  });

  test('lists come in pages, and a token that was never given out asks to begin anew', async () => {
    for (const name of ['b', 'c', 'a'])
      await csi.controller.createVolume({ ...wish(name), parameters: { replicas: '1' } });
    const first = await csi.controller.listVolumes({ maxEntries: 2 });
    expect(first.entries.map(({ volume }) => volume?.volumeId)).toEqual(['a', 'b']);
    await csi.controller.deleteVolume({ volumeId: 'b' });
    const rest = await csi.controller.listVolumes({ maxEntries: 2, startingToken: first.nextToken });
    expect(rest.entries.map(({ volume }) => volume?.volumeId)).toEqual(['c']);
    expect(rest.nextToken).toBe('');
    for (const startingToken of ['1', 'after/../..', 'after/']) {
      expect(await refusalOf(csi.controller.listVolumes({ startingToken }))).toMatchObject({ code: Status.ABORTED });
    }
  });

  test('no secret reaches the log or an answer', async () => {
    const secret = 'hunter2-the-secret';
    const secrets = { key: secret };
    await csi.controller.createVolume({ ...wish(), secrets });
    const wrong = {
      ...wish('pvc-2'),
      secrets,
      parameters: { restuserkey: secret, adminSecretName: secret, encryption: secret },
    };
    const { details } = await refusalOf(csi.controller.createVolume(wrong));
    expect(details).toContain('encryption');
    await csi.controller.deleteVolume({ volumeId: 'pvc-1', secrets });
    expect(details).not.toContain(secret);
    expect(world.log.entries.length).toBeGreaterThan(2);
    expect(JSON.stringify(world.log.entries)).not.toContain(secret);
  });

  test('a key in the secrets of a call is the key of its volume, and of whoever clones that', async () => {
    const encryptionKey = 'a-key-that-was-given-by-whoever-wants-the-volume';
    const [right, wrong] = [{ secrets: { encryptionKey } }, { secrets: { encryptionKey: 'x'.repeat(40) } }];
    const asked = { ...wish(), parameters: { encryption: 'true' } };
    const create = (request: Parameters<typeof csi.controller.createVolume>[0]) => csi.controller.createVolume(request);
    const answers: string[] = [];
    const refused = async (request: Parameters<typeof create>[0]) => {
      const { code, details } = await refusalOf(create(request));
      answers.push(details);
      return code;
    };
    expect(await refused({ ...wish(), ...right })).toBe(Status.INVALID_ARGUMENT);
    expect(await refused({ ...asked, secrets: { encryptionKey: 'too short' } })).toBe(Status.INVALID_ARGUMENT);
    expect((await world.client.list('Volume')).items).toEqual([]);

    for (const _time of [1, 2]) await create({ ...asked, ...right });
    const volume = await world.client.get('Volume', 'pvc-1');
    expect(volume?.spec).toMatchObject({ encryption: true, keyIsGiven: true });
    expect(JSON.stringify(volume)).not.toContain(encryptionKey);
    const [secret, ...others] = (await world.client.list('Secret')).items;
    expect(others).toEqual([]);
    expect(atob(secret?.data?.['key'] ?? '')).toBe(encryptionKey);
    expect(secret?.metadata.name).toBe(`volume-key-${volume?.metadata.uid}`);
    expect(await refused({ ...asked, ...wrong })).toBe(Status.ALREADY_EXISTS);

    const source = { type: { $case: 'volume' as const, value: { volumeId: 'pvc-1' } } };
    const clone = { ...wish('pvc-2'), volumeContentSource: source };
    expect(await refused(clone)).toBe(Status.PERMISSION_DENIED);
    expect(await refused({ ...clone, ...wrong })).toBe(Status.PERMISSION_DENIED);
    expect(await world.client.get('Volume', 'pvc-2')).toBeUndefined();
    await create({ ...clone, ...right });
    expect((await world.client.get('Volume', 'pvc-2'))?.spec).toMatchObject({ encryption: true });
    for (const text of [encryptionKey, 'x'.repeat(40), 'too short']) {
      expect(JSON.stringify([...world.log.entries, ...answers])).not.toContain(text);
    }
  });

  test('a clone is as encrypted as what it is of', async () => {
    await csi.controller.createVolume(wish());
    const source = { type: { $case: 'volume' as const, value: { volumeId: 'pvc-1' } } };
    const asked = { ...wish('pvc-2'), parameters: { encryption: 'true' }, volumeContentSource: source };
    expect(await refusalOf(csi.controller.createVolume(asked))).toMatchObject({ code: Status.INVALID_ARGUMENT });
  });

  test.each(['localhost', '%2Fcsi%2Fcsi.sock'])(
    'authority %s, which callers send over a socket, is taken',
    async (authority) => {
      const session = connectHttp2('http://localhost', { createConnection: () => connect(world.controllerSocket) });
      const headers = { ':method': 'POST', ':path': '/csi.v1.Identity/Probe', ':authority': authority, te: 'trailers' };
      const stream = session.request({ ...headers, 'content-type': 'application/grpc' });
      const status = new Promise((resolve, reject) => {
        stream.on('trailers', (trailers) => resolve(trailers['grpc-status']));
        stream.on('error', reject);
      });
      stream.end(Buffer.alloc(5));
      stream.resume();
      expect(await status).toBe('0');
      session.destroy();
    },
  );

  test('a call that is not offered is said to be none', async () => {
    const snapshot = csi.controller.getSnapshot({ snapshotId: 'snap-1' });
    expect(await refusalOf(snapshot)).toMatchObject({ code: Status.UNIMPLEMENTED });
    const expand = csi.node.nodeExpandVolume({ volumeId: 'pvc-1', volumePath: TARGET });
    expect(await refusalOf(expand)).toMatchObject({ code: Status.UNIMPLEMENTED });
  });
});

test('a volume goes before its PersistentVolume, which its provisioner holds until then and deletes itself', async () => {
  const { client } = world;
  await csi.controller.createVolume(wish());
  const made = await client.create('PersistentVolume', {
    metadata: { name: 'pvc-1', finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'] },
    spec: {
      ...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Delete' },
      csi: { driver: 'csi.holdfast.dev', volumeHandle: 'pvc-1' },
    },
  });
  await csi.controller.deleteVolume({ volumeId: 'pvc-1' });
  expect(await volumes()).toEqual([]);
  const left = await client.get('PersistentVolume', 'pvc-1');
  expect(left?.metadata).toEqual(made.metadata);
});
