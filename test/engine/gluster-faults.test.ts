/** What befalls a volume, on real GlusterFS: cut links, power cuts, refused and interrupted commands. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CrashError } from '../../src/adapters/host/inject.ts';
import { parseEngineVolumeName } from '../../src/domain/names.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import type { DesiredCopy, DesiredVolume, Engine, Observed, Step } from '../../src/ports/engine.ts';
import { createVolumeSet, settle, type VolumeSet } from '../contract/engine-harness.ts';
import { type GlusterLab, startGlusterLab } from './gluster-fixture.ts';

const MIB = 1024 ** 2;
const [N1, N2, N3] = ['kube1', 'kube2', 'kube3'];
/** Twice the ping-timeout of a mount with history, and some. */
const STALL_MS = 30_000;

describe('faults', () => {
  let under: GlusterLab;
  let made: VolumeSet[] = [];
  const signal = AbortSignal.timeout(20 * 60_000);

  beforeAll(async () => {
    under = await startGlusterLab('gluster-faults');
  });
  afterAll(() => under?.stop());
  afterEach(async () => {
    for (const set of made) await set.remove();
    made = [];
    await expectNothingLeft();
  });

  const expectNothingLeft = async () => expect(await under.residue()).toEqual([]);
  const volumeSet = async (layout: DesiredVolume['layout'], brick: DesiredCopy['brick'] = 'image') => {
    const set = await createVolumeSet(under, { layout, brick, sizeBytes: 160 * MIB, signal });
    made.push(set);
    return set;
  };
  const settled = (set: VolumeSet, fact: (seen: Observed<'volume'>) => boolean) =>
    settle<'volume'>(under.engine(set.anchor), set.volume, { ...under.patience, signal, fact, isPatient: true });
  const settleCopies = async (set: VolumeSet) => {
    for (const { node, desired } of set.copies) {
      await settle<'copy'>(under.engine(node), desired, { ...under.patience, signal });
    }
  };
  const canWrite = (node: string, set: VolumeSet) =>
    expect.poll(() => under.write(node, set.attachment), { timeout: STALL_MS });
  const planOf = async (engine: Engine, volume: DesiredVolume): Promise<readonly Step[]> =>
    engine.plan<'volume'>(volume, await engine.observe<'volume'>(volume, signal));

  it('keeps the majority writing and the cut-off node from it, and both agree afterwards', async () => {
    const set = await volumeSet('replicated');
    await set.make();
    await set.mount(N1);
    await set.mount(N3);
    await under.lab.unplug(N3);
    try {
      await canWrite(N1, set).toBe(true);
      expect(await under.write(N3, set.attachment)).toBe(false);
      const here = await settled(set, (seen) => seen.bricks[2]?.isNodeReachable === false);
      expect(here.bricks.map((brick) => brick.isReadable)).toEqual([true, true, false]);
      const there = await under.engine(N3).observe<'attachment'>(set.attachment, signal);
      expect(there).toMatchObject({ state: 'mounted', isAnswering: false });
      // The cut-off node plans nothing that GlusterFS would refuse, and what it tries all the same is refused.
      expect(await planOf(under.engine(N3), set.volume)).toEqual([]);
      const options = { 'network.ping-timeout': '10' };
      const change: Step & { volume: string; options: object } = {
        ...{ step: 'setOptions', about: 'change an option', volume: set.volume.name, options },
      };
      await expect(under.engine(N3).apply(change, signal)).rejects.toMatchObject({ reason: 'NoQuorum' });
    } finally {
      await under.lab.plug(N3);
    }
    const whole = await settled(set, isCurrent);
    expect(whole.bricks.map((brick) => brick.splitBrainEntries)).toEqual([0, 0, 0]);
    await canWrite(N3, set).toBe(true);
    const list = (node: string) => under.run(node, 'ls', set.attachment.mountPath);
    await expect.poll(() => list(N3), { timeout: STALL_MS }).toBe(await list(N1));
  });

  it('fills a copy again that a power cut right after its creation has left blank', async () => {
    const set = await volumeSet('replicated');
    await set.make();
    await set.mount(N1);
    await under.lab.powerCut(N2);
    await under.powerOn(N2);
    await canWrite(N1, set).toBe(true);
    await settleCopies(set);
    await settled(set, isCurrent);
    // The brick really holds what was written while it was away.
    const second = set.copies[1]?.desired;
    if (second === undefined) throw new Error('three copies');
    expect(await under.run(N2, 'ls', copyPaths(second).brick)).toBe(
      await under.run(N1, 'ls', set.attachment.mountPath),
    );
  });

  it('creates the volume at the second try when a node was missing at the first', async () => {
    const set = await volumeSet('replicated');
    await settleCopies(set);
    const second = set.copies[1]?.desired;
    if (second === undefined) throw new Error('three copies');
    const { mountPoint } = copyPaths(second);
    await under.run(N2, 'umount', mountPoint);
    await expect(set.makeVolume()).rejects.toThrow(/Failed to create brick directory/);
    // Nothing was put below the mount point, and the others were left with the ID of a volume that is not.
    expect(await under.run(N2, 'ls', mountPoint)).toBe('');
    expect((await under.engine(N1).observe<'volume'>(set.volume, signal)).isPresent).toBe(false);
    await settleCopies(set);
    await set.makeVolume();

    const unknown = {
      ...set.volume,
      name: parseEngineVolumeName('unknown'),
      bricks: [{ node: 'kube9', path: '/x/brick', isArbiter: false }],
    };
    const [create] = await planOf(under.engine(N1), { ...unknown, layout: 'single' });
    if (create === undefined) throw new Error('nothing planned');
    await expect(under.engine(N1).apply(create, signal)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('ends whole after a crash at any gluster command, the limit included', async () => {
    for (let nth = 1; ; nth += 1) {
      const set = await volumeSet('single', 'directory');
      await settleCopies(set);
      const match = /^run gluster .*volume (create|set|start|quota \S+ (enable|hard|soft|limit))/;
      const { engine, trace } = under.injected(N1, [{ match, nth, what: 'crash-after' }]);
      const outcome = await settle<'volume'>(engine, set.volume, { ...under.patience, signal }).catch((error) => error);
      expect(await set.make(), trace.at(-1)).toMatchObject({ isStarted: true, limitBytes: set.volume.limitBytes });
      await set.mount(N1);
      expect((await under.lab.host(N1).files.usage(set.attachment.mountPath)).capacityBytes).toBe(
        set.volume.limitBytes,
      );
      await set.remove();
      if (!(outcome instanceof CrashError)) return;
    }
  });

  it('waits for others that work on the same volume', async () => {
    const set = await volumeSet('single');
    await set.make();
    const timeouts = ['11', '12', '13', '14', '15', '16'];
    const changes = timeouts.map((value, index) => {
      const options = { 'network.ping-timeout': value };
      const step: Step & { volume: string; options: object } = {
        ...{ step: 'setOptions', about: 'change an option', volume: set.volume.name, options },
      };
      // Engines of several nodes, so that no lock of this process keeps them apart.
      return under.engine([N1, N2, N3][index % 3] ?? N1).apply(step, signal);
    });
    await Promise.all(changes);
    const seen = await under.engine(N1).observe<'volume'>(set.volume, signal);
    expect(timeouts).toContain(seen.options['network.ping-timeout']);
  });

  it('cannot delete while a node of the pool is off, says so, and does when it is back', async () => {
    const set = await volumeSet('single');
    await set.make();
    await under.powerOff(N3);
    try {
      await expect(set.remove()).rejects.toMatchObject({ kind: 'unavailable', reason: 'PeerAway' });
    } finally {
      await under.powerOn(N3);
    }
    await set.remove();
  });

  it('keeps a mount when the process that made it, and its whole group, is killed', async () => {
    const set = await volumeSet('single');
    await set.make();
    const { volume, mountPath } = set.attachment;
    const host = under.lab.host(N2);
    await host.files.makeDirectory(mountPath);
    const maker = await host.processes.start({
      file: 'sh',
      args: ['-c', `mount -t glusterfs ${N1}:/${volume} ${mountPath}; exec tail -f /dev/null`],
      logFile: under.lab.logOf(N2, 'maker'),
    });
    const state = async () => (await under.engine(N2).observe<'attachment'>(set.attachment, signal)).state;
    await expect.poll(state, { timeout: STALL_MS }).toBe('mounted');
    await host.processes.stop(maker, { graceMs: 0 });
    expect(await state()).toBe('mounted');
    expect(await under.write(N2, set.attachment)).toBe(true);
    await set.mount(N2);
  });

  it('draws no conclusion from a machine that was installed anew', async () => {
    const set = await volumeSet('replicated');
    await set.make();
    // As a fresh installation: glusterd with an empty state directory.
    const state = '/var/lib/glusterd';
    await under.run(N3, 'pkill', '--exact', 'glusterd');
    await under.run(N3, 'mv', state, '/var/lib/glusterd.before');
    await under.run(N3, 'mkdir', state);
    await under.startGlusterd(N3);
    const engine = under.engine(N3);
    await expect.poll(async () => (await engine.probe(signal)).isRunning, { timeout: STALL_MS }).toBe(true);
    for (const isPresent of [true, false]) {
      await expect(engine.observe<'volume'>({ ...set.volume, isPresent }, signal)).rejects.toMatchObject({
        kind: 'unavailable',
        reason: 'NotInPool',
      });
    }
    await under.run(N3, 'pkill', '--exact', 'glusterd');
    await under.run(N3, 'rm', '-r', state);
    await under.run(N3, 'mv', '/var/lib/glusterd.before', state);
    await under.startGlusterd(N3);
    // Only then: a command that meets glusterd in its handshake can hang.
    await under.whenConnected(N3);
    await settled(set, isCurrent);
  });
});

function isCurrent({ bricks }: Observed<'volume'>): boolean {
  return bricks.every((brick) => brick.isOnline && brick.isReadable && brick.pendingHeals === 0);
}
