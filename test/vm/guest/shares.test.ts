/** Runs in a guest whose kernel has an NFS client and an NFS server: shares through CSI, with everything really mounted. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Status } from 'nice-grpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CsiClient, createCsiClient, mountable, refusalOf } from '../../contract/csi-client.ts';
import { type CsiWorld, TARGET_ROOT } from '../../contract/csi-world.ts';
import type { NfsServer } from './nfs-server.ts';
import { EXPORT, NODE, SERVER, startShareWorld } from './share-world.ts';

const WAIT = { timeout: 2 * 60_000, interval: 500 };
let world: CsiWorld;
let server: NfsServer;

beforeAll(async () => {
  ({ world, server } = await startShareWorld());
});
afterAll(() => world?.stop());

describe.each(['nfsvers=3', 'nfsvers=4.2'])('a class of csi-driver-nfs with %s', (version) => {
  const flags = [version, 'nolock', 'noatime'];
  const volumeCapability = mountable(undefined, flags);
  const pathOf = (name: string) => join(TARGET_ROOT, `${version.replaceAll(/\W/g, '-')}-${name}`);
  const [staging, first, second] = ['staging', 'first', 'second'].map(pathOf) as [string, string, string];
  let csi: CsiClient;
  beforeAll(() => {
    csi = createCsiClient(world);
  });
  afterAll(() => csi.close());

  const create = async (name: string, parameters: Readonly<Record<string, string>>) => {
    const { volume } = await csi.controller.createVolume({
      ...{ name, volumeCapabilities: [volumeCapability], capacityRange: { requiredBytes: 2n ** 30n, limitBytes: 0n } },
      parameters: { server: SERVER, share: EXPORT, ...parameters },
    });
    return volume?.volumeId ?? '';
  };
  const stage = async (volumeId: string) => {
    const { publishContext } = await csi.controller.controllerPublishVolume({
      volumeId,
      nodeId: NODE,
      volumeCapability,
    });
    const common = { volumeId, volumeCapability, publishContext, stagingTargetPath: staging };
    await csi.node.nodeStageVolume(common);
    return common;
  };
  const unstage = async (volumeId: string, ...targets: readonly string[]) => {
    for (const targetPath of targets) await csi.node.nodeUnpublishVolume({ volumeId, targetPath });
    await csi.node.nodeUnstageVolume({ volumeId, stagingTargetPath: staging });
    await csi.controller.controllerUnpublishVolume({ volumeId, nodeId: NODE });
  };

  it('is a folder that two pods share, with what is free on the server, until its last one goes', async () => {
    const volumeId = await create('pvc-1', { subDir: 'team/db', mountPermissions: '0770' });
    const staged = await stage(volumeId);
    await csi.node.nodePublishVolume({ ...staged, targetPath: first });
    await csi.node.nodePublishVolume({ ...staged, targetPath: second, readonly: true });
    await writeFile(join(first, 'file'), 'shared');
    expect(await readFile(join(second, 'file'), 'utf8')).toBe('shared');
    expect(await readFile(`${EXPORT}/team/db/file`, 'utf8')).toBe('shared');
    await expect(writeFile(join(second, 'no'), '')).rejects.toMatchObject({ code: 'EROFS' });
    const { usage, volumeCondition } = await csi.node.nodeGetVolumeStats({ volumeId, volumePath: first });
    expect(usage.every(({ total, available }) => total > 0n && available > 0n)).toBe(true);
    expect(usage).toHaveLength(2);
    expect(volumeCondition?.abnormal).toBe(false);

    await server.stop();
    const silent = await csi.node.nodeGetVolumeStats({ volumeId, volumePath: first });
    expect(silent.volumeCondition).toMatchObject({ abnormal: true });
    expect(silent.volumeCondition?.message).toContain('does not answer');
    await server.start();
    const condition = async () =>
      (await csi.node.nodeGetVolumeStats({ volumeId, volumePath: first })).volumeCondition?.abnormal;
    await expect.poll(condition, WAIT).toBe(false);
    await writeFile(join(first, 'again'), 'after');

    await unstage(volumeId, first, second);
    expect((await refusalOf(csi.node.nodeGetVolumeStats({ volumeId, volumePath: first }))).code).toBe(Status.NOT_FOUND);
    await csi.controller.deleteVolume({ volumeId });
    await expect.poll(() => readdir(`${EXPORT}/team`), WAIT).toEqual([]);
  });

  it.each([
    ['archive', ['archived-kept']],
    ['retain', ['kept']],
  ] as const)('is kept when its class says %s', async (onDelete, names) => {
    const volumeId = await create(`pvc-${onDelete}`, { subDir: 'team/kept', onDelete });
    const staged = await stage(volumeId);
    await csi.node.nodePublishVolume({ ...staged, targetPath: first });
    await writeFile(join(first, 'file'), onDelete);
    await unstage(volumeId, first);
    await csi.controller.deleteVolume({ volumeId });
    await expect.poll(() => readdir(`${EXPORT}/team`), WAIT).toEqual(names);
    expect(await readFile(`${EXPORT}/team/${names[0]}/file`, 'utf8')).toBe(onDelete);
    await rm(`${EXPORT}/team/${names[0]}`, { recursive: true });
  });
});
