/** Encrypted volumes while programs die: the key is there before the first byte and after the last, and never another one. */
import { describe, expect, it } from 'vitest';
import { keySecret, keySecretName } from '../../src/domain/volume/volume-key.ts';
import type { Secret } from '../../src/schemas/kubernetes.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhollyGone } from './expectations.ts';
import { withSeed } from './seeds.ts';

const SEED = 1;
const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2'] as const;
const VOLUME: PlanVolume = { name: 'safe', size: '1Gi', engine: 'local', encryption: true, nodes: ['kube2'] };

const secrets = ({ world }: SimCluster) =>
  world.resources.list('Secret', {}).items.map(({ read }) => read() as unknown as Secret);

function copyOf(sim: SimCluster, volume: string) {
  const copy = [...sim.seen.VolumeCopy.values()].find(({ spec }) => spec.volume === volume);
  return { copy, kept: sim.gluster.state.node('kube2').copies.get(copy?.metadata.uid ?? '') };
}

async function expectReady(sim: SimCluster, volume = 'safe'): Promise<void> {
  const isReady = () => {
    const { copy, kept } = copyOf(sim, volume);
    const isUsed = copy?.status?.state === 'Ready' && kept?.isMounted === true && kept.key !== undefined;
    return isUsed && sim.seen.Volume.get(volume)?.status?.phase === 'Ready';
  };
  await sim.until(`${volume} is ready`, isReady, PATIENCE_MS);
}

async function expectNothingLeft(sim: SimCluster): Promise<void> {
  await expectWhollyGone(sim);
  await sim.until('no key is left', () => secrets(sim).length === 0, PATIENCE_MS);
}

async function makeAndRemove(sim: SimCluster): Promise<void> {
  await sim.applyPlan([VOLUME]);
  await expectReady(sim);
  expect(secrets(sim)).toHaveLength(1);
  await deleteVolumeAndMounts(sim, 'safe');
  await expectNothingLeft(sim);
}

/** Snapshots of images are modelled for GlusterFS. */
const CLONED: PlanVolume = { name: 'safe', size: '1Gi', layout: 'single', encryption: true, nodes: ['kube2'] };

/** A snapshot of the volume, a clone of that, and then the end of all three in the order in which they came. */
async function cloneAndRemove(sim: SimCluster): Promise<void> {
  const { client } = sim.world;
  await sim.applyPlan([CLONED]);
  await expectReady(sim);
  const { uid = '' } = sim.seen.Volume.get('safe')?.metadata ?? {};
  const spec = { volume: 'safe', volumeUid: uid };
  await client.create('VolumeSnapshotRecord', { metadata: { name: 'shot' }, spec });
  const shot = () => sim.seen.VolumeSnapshotRecord.get('shot');
  await sim.until('the snapshot is taken', () => shot()?.status?.phase === 'Ready', PATIENCE_MS);
  await deleteVolumeAndMounts(sim, 'safe');
  await sim.until('the volume is gone', () => !sim.seen.Volume.has('safe'), PATIENCE_MS);
  const { volumeSpec } = shot()?.status ?? {};
  if (volumeSpec === undefined) throw new Error('the snapshot does not say what it is of');
  const source = { snapshot: 'shot', snapshotUid: shot()?.metadata.uid ?? '' };
  await client.create('Volume', { metadata: { name: 'again' }, spec: { ...volumeSpec, source } });
  await expectReady(sim, 'again');
  expect(new Set(secrets(sim).map(({ data }) => data?.['key']))).toHaveLength(1);
  await client.delete('VolumeSnapshotRecord', 'shot');
  await sim.until('the snapshot is gone', () => shot() === undefined, PATIENCE_MS);
  expect(secrets(sim)).toHaveLength(1);
  await deleteVolumeAndMounts(sim, 'again');
  await expectNothingLeft(sim);
}

describe('an encrypted volume', () => {
  it.each([
    ['made and removed', makeAndRemove, /Secret|makeImage|mountImage|eraseCopy/],
    ['cloned', cloneAndRemove, /Secret|cloneImage|eraseImage/],
  ] as const)(
    'that is %s keeps its key whichever program dies around a moment that has to do with it',
    async (...each) => {
      const [, live, matters] = each;
      const undisturbed = await createSimCluster(SEED, { nodes: NODES });
      await live(undisturbed);
      const moments = undisturbed.moments().flatMap((what, at) => (matters.test(what) ? [at + 1] : []));
      expect(moments.length).toBeGreaterThan(5);
      for (const [at, nth] of moments.entries()) {
        await withSeed(SEED, async () => {
          const sim = await createSimCluster(SEED, { nodes: NODES });
          sim.dieAtMoment(nth, at % 2 === 0 ? 'before' : 'after');
          await live(sim);
        });
      }
    },
  );

  it('is restored from a snapshot, and its key is known where its copies are, wherever they go', async () => {
    const sim = await createSimCluster(SEED, { nodes: ['kube1', 'kube2', 'kube3', 'kube4'] });
    const { client } = sim.world;
    await sim.applyPlan([{ name: 'safe', size: '1Gi', replicas: 3, encryption: true }]);
    const volume = () => sim.seen.Volume.get('safe');
    const copies = () => [...sim.seen.VolumeCopy.values()].filter(({ spec }) => spec.volume === 'safe');
    const isKeyed = () => {
      const nodes = copies().map(({ spec }) => spec.node);
      const [key] = secrets(sim).filter(({ metadata }) => metadata.labels?.['holdfast.dev/volume'] === 'safe');
      const readers = key?.metadata.annotations?.['holdfast.dev/key-nodes'];
      return nodes.length === 3 && nodes.toSorted().join() === readers && volume()?.status?.phase === 'Ready';
    };
    await sim.until('it is ready', isKeyed, PATIENCE_MS);

    const [moved] = copies();
    const { name = '' } = moved?.metadata ?? {};
    await client.patch('VolumeCopy', name, { spec: { replacement: { reason: 'Requested' } } });
    const isMoved = () => !sim.seen.VolumeCopy.has(name) && isKeyed();
    await sim.until('a copy has gone to the fourth node', isMoved, PATIENCE_MS);
    expect(copies().map(({ spec }) => spec.node)).toContain('kube4');

    const spec = { volume: 'safe', volumeUid: volume()?.metadata.uid ?? '' };
    const { metadata } = await client.create('VolumeSnapshotRecord', { metadata: { name: 'shot' }, spec });
    const phase = (snapshot: string) => sim.seen.VolumeSnapshotRecord.get(snapshot)?.status?.phase;
    await sim.until('the snapshot is taken', () => phase('shot') === 'Ready', PATIENCE_MS);
    const restoreFrom = { snapshot: 'shot', snapshotUid: metadata.uid, safetySnapshot: 'before' };
    await client.patch('Volume', 'safe', { spec: { restoreFrom } });
    const isRestored = () => volume()?.status?.restore?.phase === 'Done' && isKeyed();
    await sim.until('it is restored', isRestored, PATIENCE_MS);
    const kept = copies().map((copy) => sim.gluster.state.node(copy.spec.node).copies.get(copy.metadata.uid));
    expect(kept.every((copy) => copy?.key !== undefined)).toBe(true);
    expect(secrets(sim)).toHaveLength(3);
  });

  it('waits for a key that is to be given, makes none, and shares it with the node of its copy', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    const { client } = sim.world;
    await sim.applyPlan([]);
    const spec = { size: '1Gi', engine: 'local', layout: 'single', encryption: true, keyIsGiven: true } as const;
    const { metadata } = await client.create('Volume', { metadata: { name: 'safe' }, spec });
    const ready = () => sim.seen.Volume.get('safe')?.status?.conditions?.find(({ type }) => type === 'Ready');
    await sim.until('it says what it waits for', () => ready()?.reason === 'KeyMissing', PATIENCE_MS);
    await sim.pass(60_000);
    expect([secrets(sim), sim.seen.VolumeCopy.size]).toEqual([[], 0]);
    const given = keySecret({ kind: 'volume', name: 'safe', uid: metadata.uid }, 'k'.repeat(40), []);
    await client.create('Secret', given);
    await sim.until('it is ready', () => ready()?.status === 'True', PATIENCE_MS);
    const [copy] = [...sim.seen.VolumeCopy.values()];
    expect(secrets(sim).map((each) => each.metadata.annotations)).toEqual([
      { 'holdfast.dev/key-nodes': copy?.spec.node },
    ]);
    await deleteVolumeAndMounts(sim, 'safe');
    await expectNothingLeft(sim);
  });

  it('is mounted again after its node was off, and says which Secret is missing while it is', async () => {
    const sim = await createSimCluster(SEED, { nodes: NODES });
    await sim.applyPlan([VOLUME]);
    await expectReady(sim);
    const name = keySecretName(sim.seen.Volume.get('safe')?.metadata.uid ?? '');
    const kept = secrets(sim)[0];
    sim.powerOff('kube2');
    // As somebody takes it away by force; what is encrypted is told of at once as lost, so nothing may look encrypted now.
    const { kept: onDisk } = copyOf(sim, 'safe');
    const key = onDisk?.key;
    if (onDisk === undefined || key === undefined || kept === undefined) throw new Error('it is not encrypted');
    delete onDisk.key;
    await sim.world.client.patch('Secret', name, { metadata: { finalizers: [] } });
    await sim.world.client.delete('Secret', name);
    onDisk.isMounted = false;
    sim.powerOn('kube2');
    const message = () => copyOf(sim, 'safe').copy?.status?.message ?? '';
    await sim.until('the copy says why', () => message().includes(`there is no Secret ${name}`), PATIENCE_MS);
    await sim.pass(60_000);
    expect(secrets(sim)).toEqual([]);
    const { finalizers, labels, annotations } = kept.metadata;
    const { data, type } = kept;
    const metadata = { name, finalizers, labels, annotations };
    await sim.world.client.create('Secret', { metadata, data, type, immutable: true });
    onDisk.key = key;
    await expectReady(sim);
    await deleteVolumeAndMounts(sim, 'safe');
    await expectNothingLeft(sim);
  });
});
