/** What is lost is said to be lost: nothing empty is ever put in its place and called ready. */
import { describe, expect, it } from 'vitest';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';

const condition = ({ seen }: SimCluster, type: string) =>
  seen.Volume.get('gv0')?.status?.conditions?.find((each) => each.type === type);

const copyOn = ({ seen }: SimCluster, node: string) =>
  [...seen.VolumeCopy.values()].find((copy) => copy.spec.node === node);

describe('a volume', () => {
  it('of one copy whose machine was installed anew is not made anew without its data', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([{ name: 'gv0', size: '1Gi', layout: 'single' }]);
    await expectWhole(sim, 'gv0');
    const node = [...sim.seen.VolumeCopy.values()][0]?.spec.node ?? '';
    sim.gluster.reinstall(node);
    // Nobody else's glusterd remembers it for long: it takes part in no pool any more.
    sim.gluster.state.volumes.delete('gv0');
    await sim.until('it is said', () => copyOn(sim, node)?.status?.state === 'Suspect', 60_000);
    await sim.pass(5 * 60_000);
    expect(sim.gluster.state.volumes.has('gv0')).toBe(false);
    expect(sim.gluster.residue()).toEqual([]);
    expect(copyOn(sim, node)?.status?.message).toContain('is lost');
    expect(condition(sim, 'Ready')?.status).not.toBe('True');
  });

  it('that somebody deleted from GlusterFS is not created over its copies', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([{ name: 'gv0', size: '1Gi' }]);
    await expectWhole(sim, 'gv0');
    sim.gluster.state.volumes.delete('gv0');
    await sim.until(
      'it is said',
      () => condition(sim, 'Ready')?.message?.includes('holds volume gv0 no more') === true,
      120_000,
    );
    await sim.pass(5 * 60_000);
    expect(sim.gluster.state.volumes.has('gv0')).toBe(false);
    expect(condition(sim, 'Ready')).toMatchObject({ status: 'False' });
  });

  it('keeps a copy out whose disk is empty, also while its agent has not heard yet that the volume has data', async () => {
    const sim = await createSimCluster(1);
    await sim.applyPlan([{ name: 'gv0', size: '1Gi' }]);
    await expectWhole(sim, 'gv0');
    sim.powerOff('kube3');
    const { copies, wiped } = sim.gluster.state.node('kube3');
    for (const copy of copies.values()) wiped.add(copy.brickPath);
    copies.clear();
    sim.withholdLists('kube3', 'Volume', true);
    sim.powerOn('kube3');
    await sim.pass(60_000);
    expect([...copies.keys()]).toEqual([]);
    sim.withholdLists('kube3', 'Volume', false);
    await sim.until('it is said', () => copyOn(sim, 'kube3')?.status?.message?.includes('is lost') === true, 60_000);
    expect([...copies.keys()]).toEqual([]);
  });
});
