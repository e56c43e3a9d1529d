/** Redundant=True can be believed: checked at every tick of runs in which machines, disks and programs fail. */
import { describe, expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';
import { seeds, withSeed } from './seeds.ts';
import { SLOW_LOOKS } from './sim-engine.ts';
import { isRedundantNow } from './truth.ts';

const VOLUME = { name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' as const } };

const claim = ({ seen }: SimCluster) => {
  return seen.Volume.get('gv0')?.status?.conditions?.find((condition) => condition.type === 'Redundant');
};

describe('the condition Redundant', () => {
  it.each(['replicated', 'arbiter', 'dispersed', 'distributed-replicated'] as const)(
    '(%s) is True only while any copy can be lost',
    async (layout) => {
      const claimed = new Set<string>();
      for (const seed of seeds(6)) {
        await withSeed(seed, async () => {
          const sim = await createSimCluster(seed);
          await sim.applyPlan([{ ...VOLUME, layout }]);
          await expectWhole(sim, 'gv0');
          // Without faults on connections, so that the strict limit of check-claims.ts holds.
          const faults = { seed, forMs: 100_000, everyMs: 6_000, hasRoughConnections: false, hasCuts: false };
          await runChaos(sim, { ...faults, onTick: () => void claimed.add(claim(sim)?.status ?? 'none') });
          await expectWhole(sim, 'gv0');
          await sim.until('it is redundant', () => isRedundantNow(sim.gluster, 'gv0', sim.nodes), 60_000);
        });
      }
      // Both were really seen, or nothing was shown.
      expect([...claimed]).toEqual(expect.arrayContaining(['True', 'False']));
    },
  );

  it('is not True after a node was away until somebody has looked again', async () => {
    for (const seed of seeds(10)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed, { pace: SLOW_LOOKS });
        await sim.applyPlan([VOLUME]);
        await expectWhole(sim, 'gv0');
        const node = sim.nodes[seed % 3] ?? '';
        const [leave, comeBack] = seed % 2 === 0 ? [sim.powerOff, sim.powerOn] : [sim.unplug, sim.plug];
        leave(node);
        await sim.until('the claim is taken back', () => claim(sim)?.status === 'False', 10_000);
        sim.gluster.write(sim.nodes.find((other) => other !== node) ?? '', 'gv0', 5);
        await sim.pass(2_000 + (seed % 10) * 1_000);
        comeBack(node);
        // From here on check-claims.ts knows when the node came back and who has looked since.
        await sim.until('it is redundant again', () => claim(sim)?.status === 'True', 120_000);
        expect(isRedundantNow(sim.gluster, 'gv0', sim.nodes)).toBe(true);
      });
    }
  });

  it.each([
    // Without mounts, whose own marks would keep the claim from being made.
    ['the anchor', 'kube1', { name: 'gv0', size: '1Gi' }],
    ['an agent with a mount', 'kube2', VOLUME],
  ])('is not True by what %s saw before, who has not heard that a node was away', async (_who, deaf, volume) => {
    for (const seed of seeds(6)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        await sim.applyPlan([volume]);
        await expectWhole(sim, 'gv0');
        await sim.pass(seed * 1_500);
        sim.process(deaf)?.connection.silenceWatches();
        sim.unplug('kube3');
        await sim.until('the claim is taken back', () => claim(sim)?.status === 'False', 10_000);
        sim.gluster.write('kube1', 'gv0', 3);
        await sim.pass(4_000);
        sim.plug('kube3');
        await sim.until('it is redundant again', () => claim(sim)?.status === 'True', 120_000);
        expect(isRedundantNow(sim.gluster, 'gv0', sim.nodes)).toBe(true);
      });
    }
  });

  it.each(['killBrick', 'losePort', 'breakDisk'] as const)('does not outlive the next look after %s', async (fault) => {
    for (const seed of seeds(4)) {
      await withSeed(seed, async () => {
        const sim = await createSimCluster(seed);
        // Not mounted: a mount that misses a copy would make somebody look. check-claims.ts counts how long the claim is wrong.
        await sim.applyPlan([{ name: 'gv0', size: '1Gi' }]);
        await expectWhole(sim, 'gv0');
        await sim.pass(60_000 + seed * 3_000);
        sim.gluster[fault]('kube3', 'gv0');
        sim.gluster.write('kube1', 'gv0', 3);
        const isRepaired = () => isRedundantNow(sim.gluster, 'gv0', sim.nodes) && claim(sim)?.status === 'True';
        await sim.until('it is repaired', isRepaired, 120_000);
      });
    }
  });

  it('is taken back within seconds when the controller was dead while a node went', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    sim.cut(CONTROLLER);
    sim.powerOff('kube3');
    await sim.pass(60_000);
    sim.mend(CONTROLLER);
    await sim.until('the claim is taken back', () => claim(sim)?.status !== 'True', 20_000);
    expect(claim(sim)?.reason).not.toBe('AllCopiesCurrent');
  });
});
