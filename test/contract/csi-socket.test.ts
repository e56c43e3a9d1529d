/** The socket of the driver over its life, and what is sent to it in bad faith. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChannel, createClient, Status } from 'nice-grpc';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { VolumeCapability_AccessMode_Mode as Mode } from '../../src/gen/csi/csi.ts';
import { RegistrationDefinition } from '../../src/gen/pluginregistration/api.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import { serveRegistration } from '../../src/shells/csi/registration.ts';
import { serveGrpc } from '../../src/shells/csi/serve-grpc.ts';
import { type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from './csi-world.ts';

describe('the socket', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-socket-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Serves until it does, then stops. @returns the mode that the socket had */
  const serveOnce = async (socketPath: string): Promise<number> => {
    const stop = new AbortController();
    let mode = 0;
    const log = createFakeLogger();
    const onServed = async () => {
      mode = (await stat(socketPath)).mode & 0o777;
      stop.abort();
    };
    const watched = { ...log, info: (message: string) => void (message === 'CSI is served' && onServed()) };
    await serveGrpc({ socketPath, clock: createSystemClock(), log: watched, add: () => undefined }, stop.signal);
    return mode;
  };

  test('is for root alone, and gone when the driver has ended', async () => {
    const path = join(folder, 'sub/csi.sock');
    expect(await serveOnce(path)).toBe(0o600);
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('that a driver left behind when it was killed is taken over', async () => {
    const path = join(folder, 'csi.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(serveOnce(path)).rejects.toThrow(`another process serves ${path}`);
    // Node unlinks its sockets when it closes them; one that is killed does not.
    const kept = join(folder, 'kept.sock');
    await import('node:fs/promises').then(({ link }) => link(path, kept));
    await new Promise((resolve) => server.close(resolve));
    expect((await stat(kept)).isSocket()).toBe(true);
    expect(await serveOnce(kept)).toBe(0o600);
  });

  test('is nothing else, and nowhere that a socket cannot be', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'data');
    await expect(serveOnce(path)).rejects.toThrow('is no socket, and is left alone');
    await expect(serveOnce('csi.sock')).rejects.toThrow('cannot be the path of a socket');
    await expect(serveOnce(`/${'x'.repeat(120)}`)).rejects.toThrow('cannot be the path of a socket');
  });
});

describe('what is refused, with nothing made', () => {
  let world: CsiWorld;
  let csi: CsiClient;
  beforeEach(async () => {
    world = await startCsiWorld();
    csi = createCsiClient(world);
    const capacityRange = { requiredBytes: 0n, limitBytes: 0n };
    await csi.controller.createVolume({ name: 'vol', volumeCapabilities: [mountable()], capacityRange });
    await csi.controller.controllerPublishVolume({ volumeId: 'vol', nodeId: 'kube1', volumeCapability: mountable() });
  });
  afterEach(async () => {
    csi.close();
    await world.stop();
  });

  const paths = [
    ...['', 'relative', '/', TARGET_ROOT, `${TARGET_ROOT}/../../etc`, '/etc/cron.d/x', `${TARGET_ROOT}/a/../../b`],
    ...[
      `${TARGET_ROOT}/a\n/b`,
      `${TARGET_ROOT}/a\0b`,
      `${TARGET_ROOT}//x`,
      `${TARGET_ROOT}evil/x`,
      `${TARGET_ROOT}/./x`,
    ],
  ];
  test.each(paths)('path %j', async (path) => {
    const before = [world.host.mountTable().length, world.host.entries.size];
    const good = `${TARGET_ROOT}/staging`;
    const stage = (stagingTargetPath: string) => ({
      volumeId: 'vol',
      stagingTargetPath,
      volumeCapability: mountable(),
    });
    for (const call of [
      csi.node.nodeStageVolume(stage(path)),
      csi.node.nodeUnstageVolume({ volumeId: 'vol', stagingTargetPath: path }),
      csi.node.nodePublishVolume({ ...stage(good), targetPath: path }),
      csi.node.nodePublishVolume({ ...stage(path), targetPath: good }),
      csi.node.nodeUnpublishVolume({ volumeId: 'vol', targetPath: path }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
    expect([world.host.mountTable().length, world.host.entries.size]).toEqual(before);
  });

  test('a symlink on the way', async () => {
    const link = `${TARGET_ROOT}/link`;
    (world.host.entries as Map<string, string>).set(link, 'symlink');
    for (const stagingTargetPath of [link, `${link}/inner`]) {
      const call = csi.node.nodeStageVolume({ volumeId: 'vol', stagingTargetPath, volumeCapability: mountable() });
      expect((await refusalOf(call)).details).toContain('which is a symlink');
    }
    const unstage = csi.node.nodeUnstageVolume({ volumeId: 'vol', stagingTargetPath: `${link}/inner` });
    expect(await refusalOf(unstage)).toMatchObject({ code: Status.INVALID_ARGUMENT });
  });

  const ids = [
    '',
    '../../etc',
    'vol#share',
    'vol\n',
    'vol\0',
    '%2e%2e',
    '..\\',
    'VOL',
    'x'.repeat(200),
    '-rf',
    'vol\u202e',
  ];
  test.each(ids)('volume id %j', async (volumeId) => {
    const volumeCapability = mountable();
    const capacityRange = { requiredBytes: 1n << 30n, limitBytes: 0n };
    const stagingTargetPath = `${TARGET_ROOT}/s`;
    for (const call of [
      csi.controller.deleteVolume({ volumeId }),
      csi.controller.controllerPublishVolume({ volumeId, nodeId: 'kube1', volumeCapability }),
      csi.controller.controllerUnpublishVolume({ volumeId, nodeId: 'kube1' }),
      csi.controller.validateVolumeCapabilities({ volumeId, volumeCapabilities: [volumeCapability] }),
      csi.controller.controllerExpandVolume({ volumeId, capacityRange }),
      csi.controller.controllerGetVolume({ volumeId }),
      csi.controller.createSnapshot({ name: 'snap', sourceVolumeId: volumeId }),
      csi.controller.deleteSnapshot({ snapshotId: volumeId }),
      csi.node.nodeStageVolume({ volumeId, stagingTargetPath, volumeCapability }),
      csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath }),
      csi.node.nodeGetVolumeStats({ volumeId, volumePath: stagingTargetPath }),
    ]) {
      expect(await refusalOf(call)).toMatchObject({ code: Status.INVALID_ARGUMENT });
    }
    expect((await world.client.list('VolumeAttachmentRecord')).items).toHaveLength(1);
  });

  const wishes = [
    { name: '' },
    { name: 'a\0b' },
    { name: 'x'.repeat(129) },
    { name: 'bytes\ufffd' },
    { volumeCapabilities: [] },
    { volumeCapabilities: [mountable(Mode.MULTI_NODE_SINGLE_WRITER)] },
    { volumeCapabilities: [mountable(Mode.UNKNOWN)] },
    { volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER, ['suid,dev'])] },
    { volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER, ['exec', 'context=x'])] },
    { volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER, ['noatime suid'])] },
    { volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER, [], '../../bin/sh')] },
    {
      volumeCapabilities: [
        { accessType: { $case: 'block' as const, value: {} }, accessMode: { mode: Mode.SINGLE_NODE_WRITER } },
      ],
    },
    { capacityRange: { requiredBytes: -1n, limitBytes: 0n } },
    { capacityRange: { requiredBytes: 2n << 30n, limitBytes: 1n << 30n } },
    { parameters: { replica: '3' } },
    { parameters: { pool: '../..' } },
    { volumeContentSource: { type: { $case: 'snapshot' as const, value: { snapshotId: '../../etc' } } } },
    { volumeContentSource: {} },
  ];
  test.each(wishes)('a wish with %o', async (part) => {
    const wish = { name: 'new', volumeCapabilities: [mountable()], ...part };
    expect(await refusalOf(csi.controller.createVolume(wish))).toMatchObject({ code: Status.INVALID_ARGUMENT });
    expect((await world.client.list('Volume')).items).toHaveLength(1);
  });

  test.each([(1n << 63n) - 1n, 1n << 53n])('a size of %s bytes', async (requiredBytes) => {
    const wish = { name: 'new', volumeCapabilities: [mountable()], capacityRange: { requiredBytes, limitBytes: 0n } };
    expect(await refusalOf(csi.controller.createVolume(wish))).toMatchObject({ code: Status.OUT_OF_RANGE });
    expect((await world.client.list('Volume')).items).toHaveLength(1);
  });
});

describe('the registration with kubelet', () => {
  test('tells where the driver is, and goes with it', async () => {
    const kubeletRoot = await mkdtemp(join(tmpdir(), 'holdfast-kubelet-'));
    const stop = new AbortController();
    const log = createFakeLogger();
    const isServed = Promise.withResolvers<void>();
    const watched = {
      ...log,
      info: (...entry: Parameters<typeof log.info>) => (log.info(...entry), isServed.resolve()),
    };
    const endpoint = '/run/holdfast/csi.sock';
    const options = { kubeletRoot, endpoint, clock: createSystemClock(), log: watched };
    const ended = serveRegistration(options, stop.signal);
    await isServed.promise;
    const path = join(kubeletRoot, 'plugins_registry/csi.holdfast.dev-reg.sock');
    const channel = createChannel(`unix://${path}`);
    const kubelet = createClient(RegistrationDefinition, channel);
    expect(await kubelet.getInfo({})).toEqual({
      ...{ type: 'CSIPlugin', name: 'csi.holdfast.dev', endpoint, supportedVersions: ['1.0.0'] },
    });
    await kubelet.notifyRegistrationStatus({ pluginRegistered: false, error: 'node not found' });
    expect(log.entries).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ reason: 'node not found' }) as object,
      }),
    );
    channel.close();
    stop.abort();
    await ended;
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await rm(kubeletRoot, { recursive: true });
  });
});
