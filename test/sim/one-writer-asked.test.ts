/**
 * A claim for one writing node beside an export or a mount that a person asks for as people do: whoever is refused leaves nothing
 * behind that would hold later by itself, or be in the way of the next claim.
 */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { exportName } from '../../src/domain/nfs-export/names.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { publishVolume, unpublishVolume } from '../../src/usecases/csi/publish-volume.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { exportVolume } from '../../src/usecases/volumes/export-volume.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';

const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2', 'kube3'];
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 };
const TO = ['10.91.1.0/24'];
/** Turns of the queue by which one of the two comes first: each call of the other takes a few. */
const LEADS = Array.from({ length: 31 }, (_, at) => 2 * (at - 12));

const signal = new AbortController().signal;
const access = { type: 'mount', mode: 'SingleNodeWriter', fsType: '', flags: [] } as const;
const depsOf = ({ world }: SimCluster) => ({ client: world.client, clock: world.clock, random: world.random, sha256 });
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};
const orRefused = (asked: Promise<unknown>) =>
  asked.then(
    () => true,
    // A conflict says to ask again: the record of the other was on its way out.
    (error: unknown) =>
      isAppError(error, 'precondition') || isAppError(error, 'conflict') ? false : Promise.reject(error),
  );
const publish = (sim: SimCluster, nodeId = 'kube2') =>
  orRefused(publishVolume(depsOf(sim), { volumeId: 'gv0', nodeId, access, isReadOnly: false }, signal));

/** Counts what was written although nothing stood in its way, so that only a look afterwards can refuse it. */
function counting(client: ResourceClient, name: string, seen: { written: number }): ResourceClient {
  const note = <T>(kind: string, of: string, done: T): T => {
    if (kind === 'VolumeAttachmentRecord' && of === name) seen.written += 1;
    return done;
  };
  return {
    ...client,
    create: async (kind, object, scope) => note(kind, object.metadata.name, await client.create(kind, object, scope)),
    patch: async (kind, of, patch, options) => note(kind, of, await client.patch(kind, of, patch, options)),
  };
}

interface Way {
  readonly name: string;
  readonly path: string;
  ask(sim: SimCluster, client: ResourceClient): Promise<unknown>;
}

const EXPORTED: Way = {
  name: exportName('gv0', 'kube1'),
  path: '/gv0',
  ask: ({ world }, client) => {
    const request = { volume: 'gv0', to: TO, nodes: ['kube1'], isReadOnly: false } as const;
    const terms = { squash: 'none', mayGoBeyond: false } as const;
    return exportVolume({ client, clock: world.clock }, { ...request, ...terms }, { confirm: async () => true });
  },
};
const ofPlan = (more: object) => async (_sim: SimCluster, client: ResourceClient) => {
  const pools = [{ name: 'default', path: '/mnt/pool' }];
  const nodes = (await client.list('StorageNode')).items.map(({ metadata, spec }) => {
    return { host: metadata.name, ip: spec.addresses.ip, pools: spec.pools.length === 0 ? pools : spec.pools };
  });
  return applyPlan({ client }, { storage: { nodes }, volumes: [{ ...VOLUME, ...more }] });
};

describe.each([
  ['an export by hand', EXPORTED],
  ['an export of a plan', { ...EXPORTED, ask: ofPlan({ export: { nodes: ['kube1'], to: TO } }) }],
  [
    'a mount of a plan',
    { name: 'gv0.kube1', path: '/data', ask: ofPlan({ mount: { path: '/data', nodes: ['kube1'] } }) },
  ],
] satisfies readonly (readonly [string, Way])[])('%s', (_what, way) => {
  it('and the claim never both hold, and whoever is refused leaves nothing', async () => {
    const outcomes = new Set<string>();
    const seen = { written: 0 };
    let takenBack = 0;
    const sim = await createSimCluster(1, { nodes: NODES });
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    const isServed = () => sim.gluster.state.node('kube1').mounts.has(way.path);
    const isRecorded = () => sim.seen.VolumeAttachmentRecord.has(way.name);
    const client = counting(sim.world.client, way.name, seen);
    for (const lead of LEADS) {
      const before = seen.written;
      const [granted, given] = await Promise.all([
        turns(lead).then(() => publish(sim)),
        turns(-lead).then(() => orRefused(way.ask(sim, client))),
      ]);
      expect(granted && given, `lead ${lead}: both were granted`).toBe(false);
      if (!given && seen.written > before) takenBack += 1;
      for (let step = 0; step < 20; step += 1) {
        await sim.pass(500);
        expect(granted && isServed(), `lead ${lead}: both hold`).toBe(false);
      }
      outcomes.add(granted ? 'claim' : given ? 'other' : 'neither');
      if (given) await sim.until('it is served', isServed, PATIENCE_MS);
      else expect(isRecorded(), `lead ${lead}: it was refused, and is still recorded`).toBe(false);
      if (granted) {
        // The next pod of the claim, elsewhere, after a time in which nobody had the volume.
        const gone = unpublishVolume(depsOf(sim), { volumeId: 'gv0', nodeId: 'kube2' }, signal);
        await sim.until('the claim has gone', () => !sim.seen.VolumeAttachmentRecord.has('gv0.csi'), PATIENCE_MS);
        await gone;
        await sim.pass(10_000);
        expect(isServed()).toBe(false);
        expect(await publish(sim, 'kube3'), `lead ${lead}: the next pod is refused`).toBe(true);
        const over = unpublishVolume(depsOf(sim), { volumeId: 'gv0', nodeId: 'kube3' }, signal);
        await sim.until('that has gone', () => !sim.seen.VolumeAttachmentRecord.has('gv0.csi'), PATIENCE_MS);
        await over;
      }
      await sim.world.client.delete('VolumeAttachmentRecord', way.name);
      await sim.until('it has gone', () => !isRecorded(), PATIENCE_MS);
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['claim', 'other']));
    // Else none was ever refused after it was written.
    expect(takenBack).toBeGreaterThan(0);
  });
});
