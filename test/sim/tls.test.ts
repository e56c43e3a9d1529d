/** Storage traffic is encrypted and taken back while processes die at every point: no daemon changes under a served volume. */
import { describe, expect, it } from 'vitest';
import { CONTROLLER, createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';

const VOLUME = { name: 'gv0', size: '1Gi', mount: { path: '/data', nodes: 'all' as const } };
const PATIENCE_MS = 5 * 60_000;
const DAY_MS = 24 * 3_600_000;
const PHASES = ['Preparing', 'Unmounting', 'Stopping', 'Restarting'] as const;

const tls = ({ seen }: SimCluster) => seen.StorageCluster.get('default')?.status?.tls;
const ask = (sim: SimCluster, isEnabled: boolean) =>
  sim.world.client.patch('StorageCluster', 'default', { spec: { tls: { isEnabled } } });

async function start(seed: number): Promise<SimCluster> {
  const sim = await createSimCluster(seed);
  await sim.applyPlan([VOLUME]);
  await sim.until('the volume is whole', () => sim.seen.Volume.get('gv0')?.status?.phase === 'Ready', PATIENCE_MS);
  await sim.until('it is mounted', () => mounts(sim) === sim.nodes.length, PATIENCE_MS);
  return sim;
}

const mounts = ({ gluster, nodes }: SimCluster) =>
  nodes.filter((node) => gluster.mountState(node, '/data') === 'mounted').length;
const option = ({ gluster }: SimCluster, key: string) => gluster.state.volumes.get('gv0')?.options.get(key);

async function expectEncrypted(sim: SimCluster): Promise<void> {
  await sim.until('it is encrypted', () => tls(sim)?.phase === 'On', PATIENCE_MS);
  await sim.until('it is mounted again', () => mounts(sim) === sim.nodes.length, PATIENCE_MS);
  for (const node of sim.nodes) {
    await sim.until(`${node} follows`, () => sim.encryptions.get(node)?.spoken === 'encrypted', PATIENCE_MS);
  }
  expect(option(sim, 'server.ssl')).toBe('on');
  expect(option(sim, 'auth.ssl-allow')).toBe('kube1,kube2,kube3');
  await expectWhole(sim, 'gv0');
}

describe('encrypting storage traffic', () => {
  it.each(PHASES.flatMap((phase) => [CONTROLLER, 'kube1', 'kube2'].map((who) => [phase, who] as const)))(
    'ends as asked when, in %s, %s dies',
    async (phase, who) => {
      const sim = await start(PHASES.indexOf(phase) * 3 + who.length);
      await ask(sim, true);
      await sim.until(phase, () => tls(sim)?.phase === phase || tls(sim)?.phase === 'On', PATIENCE_MS);
      sim.kill(who);
      await expectEncrypted(sim);
    },
  );

  it.each(PHASES)('goes on without a node that loses its power in %s, and takes it in later', async (phase) => {
    const sim = await start(PHASES.indexOf(phase) + 40);
    await ask(sim, true);
    await sim.until(phase, () => tls(sim)?.phase === phase || tls(sim)?.phase === 'On', PATIENCE_MS);
    sim.powerOff('kube3');
    await sim.until('it is encrypted', () => tls(sim)?.phase === 'On', PATIENCE_MS);
    sim.powerOn('kube3');
    await expectEncrypted(sim);
  });

  it('stops nothing under the mount of a node that is silent for some seconds', async () => {
    const sim = await start(70);
    await ask(sim, true);
    await sim.until('it has begun', () => ['Preparing', 'Unmounting'].includes(tls(sim)?.phase ?? ''), PATIENCE_MS);
    sim.cut('kube2');
    await sim.pass(20_000);
    expect(['Preparing', 'Unmounting']).toContain(tls(sim)?.phase);
    sim.mend('kube2');
    await expectEncrypted(sim);
  });

  it.each(PHASES)('is taken back in %s', async (phase) => {
    const sim = await start(PHASES.indexOf(phase) + 60);
    await ask(sim, true);
    await sim.until(phase, () => tls(sim)?.phase === phase || tls(sim)?.phase === 'On', PATIENCE_MS);
    await ask(sim, false);
    await sim.until('it is plain', () => tls(sim)?.phase === 'Off', PATIENCE_MS);
    // A restart that was under way when it was taken back is ended first; such a node follows as one that was away.
    const arePlain = () => [...sim.encryptions.values()].every((each) => each.spoken === 'plain');
    await sim.until('every daemon is plain', arePlain, PATIENCE_MS);
    await sim.until('it is mounted again', () => mounts(sim) === sim.nodes.length, PATIENCE_MS);
    expect(option(sim, 'server.ssl')).toBeUndefined();
    await expectWhole(sim, 'gv0');
  });

  it('has certificates renewed before they end, and restarts nothing for it', async () => {
    const sim = await start(80);
    await ask(sim, true);
    await expectEncrypted(sim);
    const kube1 = sim.encryptions.get('kube1');
    if (kube1 === undefined) throw new Error('there is no kube1');
    const restarts = kube1.restarts.length;
    const old = {
      pem: 'old',
      notBefore: sim.world.clock.now() - 61 * DAY_MS,
      notAfter: sim.world.clock.now() + 29 * DAY_MS,
    };
    kube1.held = old;
    await sim.until('it has a new one', () => kube1.held !== old && kube1.held !== undefined, PATIENCE_MS);
    await sim.until(
      'it asks no more',
      () => sim.seen.StorageNode.get('kube1')?.status?.tls?.request === undefined,
      PATIENCE_MS,
    );
    expect(kube1.restarts).toHaveLength(restarts);
  });
});
