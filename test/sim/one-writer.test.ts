/** A claim for one writing node beside others who may write: whichever was asked for a moment before the other, one of them holds. */
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/adapters/ledger/sha256.ts';
import { isAppError } from '../../src/domain/errors.ts';
import { ATTACHMENT_FINALIZER } from '../../src/domain/finalizers.ts';
import { exportName, exportPath } from '../../src/domain/nfs-export/names.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { publishVolume, unpublishVolume } from '../../src/usecases/csi/publish-volume.ts';
import { createSimCluster, type SimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';

const PATIENCE_MS = 5 * 60_000;
const NODES = ['kube1', 'kube2', 'kube3'];
const VOLUME: PlanVolume = { name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 };
const EXPORT = { name: exportName('gv0', 'kube1'), path: '/gv0' };
const MOUNT = { name: 'gv0.kube1', path: '/data' };
/** Turns of the queue by which one of the two comes first: the calls of the other are spread over about as many. */
const LEADS = Array.from({ length: 17 }, (_, at) => at - 8);

const isServed = ({ gluster }: SimCluster, path: string) => gluster.state.node('kube1').mounts.has(path);
/** As a plan writes it, which found nothing in its way. */
const record = (name: string) => {
  const metadata = { name, finalizers: [ATTACHMENT_FINALIZER] };
  const spec = { volume: 'gv0', node: 'kube1', isReadOnly: false };
  if (name === MOUNT.name) return { metadata, spec: { ...spec, mountPath: MOUNT.path } };
  return { metadata, spec: { ...spec, mountPath: exportPath('gv0'), export: { id: 7, clients: ['10.91.1.0/24'] } } };
};
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};
const depsOf = ({ world }: SimCluster) => ({ client: world.client, clock: world.clock, random: world.random, sha256 });
const signal = new AbortController().signal;
const access = { type: 'mount', mode: 'SingleNodeWriter', fsType: '', flags: [] } as const;
/** Whether the claim was granted; anything but a refusal is a mistake. */
const publish = (sim: SimCluster) =>
  publishVolume(depsOf(sim), { volumeId: 'gv0', nodeId: 'kube2', access, isReadOnly: false }, signal).then(
    () => true,
    (error: unknown) => (isAppError(error, 'precondition') ? false : Promise.reject(error)),
  );

describe.each([
  ['an export to writers', EXPORT],
  ['a mount of a plan on another node', MOUNT],
] as const)('%s', (_what, other) => {
  it('and the claim never both hold, and the one that waits holds when the other has gone', async () => {
    const winners = new Set<string>();
    const sim = await createSimCluster(1, { nodes: NODES });
    await sim.applyPlan([VOLUME]);
    await expectWhole(sim, 'gv0');
    for (const lead of LEADS) {
      const [granted] = await Promise.all([
        turns(lead).then(() => publish(sim)),
        turns(-lead).then(() => sim.world.client.create('VolumeAttachmentRecord', record(other.name))),
      ]);
      for (let step = 0; step < 30; step += 1) {
        await sim.pass(500);
        expect(granted && isServed(sim, other.path), `lead ${lead}: both hold`).toBe(false);
      }
      winners.add(granted ? 'claim' : 'other');
      if (granted) {
        const said = sim.seen.VolumeAttachmentRecord.get(other.name)?.status;
        expect(said?.message).toContain('a claim has volume gv0 on kube2');
        const gone = unpublishVolume(depsOf(sim), { volumeId: 'gv0', nodeId: 'kube2' }, signal);
        await sim.until('the claim has gone', () => !sim.seen.VolumeAttachmentRecord.has('gv0.csi'), PATIENCE_MS);
        await gone;
      }
      await sim.until('the other is served', () => isServed(sim, other.path), PATIENCE_MS);
      expect(await publish(sim)).toBe(false);
      await sim.world.client.delete('VolumeAttachmentRecord', other.name);
      await sim.until('it has gone', () => !sim.seen.VolumeAttachmentRecord.has(other.name), PATIENCE_MS);
    }
    // Else no two of these were ever under way at once.
    expect([...winners].toSorted()).toEqual(['claim', 'other']);
  });
});
