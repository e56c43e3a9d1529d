/** The anchor of a volume is lost in every phase of its life: another member takes over, and the old one stops at once. */
import { describe, expect, it } from 'vitest';
import type { GlusterStep } from '../../src/engines/gluster/steps.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { deleteVolumeAndMounts, expectWhole, expectWhollyGone } from './expectations.ts';
import { SLOW_PACE } from './sim-engine.ts';

const VOLUME = { name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' as const } };
const PATIENCE_MS = 5 * 60_000;

const status = ({ seen }: SimCluster) => seen.Volume.get('gv0')?.status ?? {};
const hasBegun = (step: GlusterStep['step']) => (sim: SimCluster) => sim.lastStep()?.step === step;

/** Moments of a creation, in their order. A step lasts up to 8 s here, so the anchor is lost in the middle of it. */
const CREATION: readonly (readonly [string, (sim: SimCluster) => boolean])[] = [
  ['placed', (sim) => status(sim).anchor !== undefined],
  ['preparing copies', hasBegun('makeImage')],
  ['copies ready', (sim) => [...sim.seen.VolumeCopy.values()].some((copy) => copy.status?.state === 'Ready')],
  ['creating the volume', hasBegun('createVolume')],
  ['setting options', hasBegun('setOptions')],
  ['starting the volume', hasBegun('startVolume')],
  ['started', (sim) => status(sim).engine?.state === 'Started'],
];
const DELETION: readonly (readonly [string, (sim: SimCluster) => boolean])[] = [
  ['unmounting', hasBegun('unmountVolume')],
  ['deleting', (sim) => status(sim).phase === 'Deleting'],
  ['stopping the volume', hasBegun('stopVolume')],
  ['deleting the volume', hasBegun('deleteVolume')],
  ['removed', (sim) => status(sim).engine?.state === 'Removed'],
  ['erasing copies', hasBegun('eraseCopy')],
];
interface Loss {
  readonly how: string;
  readonly lose: 'powerOff' | 'unplug' | 'cut';
  readonly restore: 'powerOn' | 'plug' | 'mend';
}
const LOSSES: readonly Loss[] = [
  { how: 'is powered off', lose: 'powerOff', restore: 'powerOn' },
  { how: 'is unplugged', lose: 'unplug', restore: 'plug' },
  { how: 'loses the API', lose: 'cut', restore: 'mend' },
];

/** Loses the anchor, sees another take over, and lets the old one come back. */
async function loseAnchor(sim: SimCluster, { lose, restore }: Loss): Promise<void> {
  const { anchor = '', epoch = 0 } = status(sim);
  sim[lose](anchor);
  // Volumes that wait for nobody but their members' agents go on without the anchor, a deletion to its end.
  const isOver = () => sim.seen.Volume.size === 0;
  await sim.until('the anchor moves', () => isOver() || status(sim).anchor !== anchor, 15_000);
  if (!isOver()) {
    expect(status(sim).epoch).toBe(epoch + 1);
    expect(status(sim).placement?.map((placed) => placed.node)).toContain(status(sim).anchor);
  }
  // check-volumes.ts sees that the old anchor does no step meanwhile, nor when it is back.
  await sim.pass(20_000);
  sim[restore](anchor);
}

describe.each(LOSSES)('when the anchor $how', (loss) => {
  it.each(CREATION)('%s, the volume becomes whole', async (_phase, isReached) => {
    const sim = await createSimCluster(1, { pace: SLOW_PACE });
    await sim.applyPlan([VOLUME]);
    await sim.until('the phase', () => isReached(sim), PATIENCE_MS);
    await loseAnchor(sim, loss);
    await expectWhole(sim, 'gv0');
  });

  it('in the life of the volume, another looks after it', async () => {
    const sim = await createSimCluster(1, { pace: SLOW_PACE });
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    await loseAnchor(sim, loss);
    await sim.until('somebody else has looked', () => status(sim).engine?.observedBy === status(sim).anchor, 60_000);
    await expectWhole(sim, 'gv0');
  });

  it.each(DELETION)('%s, the volume goes wholly', async (_phase, isReached) => {
    const sim = await createSimCluster(1, { pace: SLOW_PACE });
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    await deleteVolumeAndMounts(sim, 'gv0');
    await sim.until('the phase', () => isReached(sim), PATIENCE_MS);
    await loseAnchor(sim, loss);
    await expectWhollyGone(sim);
  });
});

describe('the pool of GlusterFS', () => {
  it('is never begun twice, whoever is there first and whoever is lost', async () => {
    const sim = await createSimCluster(1, { pace: SLOW_PACE });
    sim.powerOff('kube1');
    await sim.applyPlan([{ ...VOLUME, layout: 'single' }]);
    const anchor = () => sim.seen.StorageCluster.get('default')?.status?.anchor;
    await sim.until('kube2 begins', () => anchor() === 'kube2' && sim.lastStep()?.step === 'probePeer', 60_000);
    // It has asked kube3 to join, and dies before it can tell anybody.
    sim.powerOff('kube2');
    sim.powerOn('kube1');
    await sim.pass(60_000);
    expect(sim.gluster.state.node('kube1').members.size).toBe(1);
    sim.powerOn('kube2');
    await expectWhole(sim, 'gv0');
    expect(sim.gluster.state.node('kube1').members.size).toBe(3);
  });

  it('takes no volume of a node that is not in it yet: no pool would take that node in any more', async () => {
    const sim = await createSimCluster(1, { pace: SLOW_PACE });
    await sim.applyPlan([]);
    const peers = () => sim.seen.StorageCluster.get('default')?.status?.peers;
    await sim.until('kube1 begins the pool', () => peers()?.observedBy === 'kube1', 60_000);
    expect(peers()?.connected).toEqual([]);
    sim.unplug('kube1');
    // Longer than the silence after which it counts as lost.
    await sim.pass(10_000);
    await sim.applyPlan([{ ...VOLUME, layout: 'single' }]);
    await sim.until('another node has the copy', () => status(sim).placement?.[0]?.node === 'kube2', 60_000);
    await sim.pass(60_000);
    expect(sim.gluster.state.volumes.size).toBe(0);
    sim.plug('kube1');
    await expectWhole(sim, 'gv0');
    expect(sim.gluster.state.node('kube2').members.size).toBe(3);
  });
});
