import { describe, expect, it } from 'vitest';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import type { SnapshotCopy, VolumeSnapshotRecordStatus } from '../../schemas/volume-snapshot-record.ts';
import { decideSnapshot, type SeenSnapshot } from './decide-snapshot.ts';
import { lasting, passing } from './snapshot-faults.ts';

const NODES = ['n1', 'n2', 'n3'];
const NOW = Date.parse('2026-01-01T00:00:00Z');
const VOLUME: Volume = {
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'Volume',
  metadata: { name: 'gv0', uid: 'u' },
  spec: { size: '1Gi', engine: 'gluster', layout: 'replicated', replicas: 3, pool: 'default', brick: 'image' },
  status: {
    anchor: 'n1',
    placement: NODES.map((node) => ({ copy: `c-${node}`, node, pool: 'default', role: 'data' })),
  },
};
const COPIES = NODES.map((node, index): VolumeCopy => {
  const place = { node, pool: 'default', role: 'data', index } as const;
  const spec = { ...place, volume: 'gv0', volumeUid: 'u', engine: 'gluster', brick: 'image', sizeBytes: 7 } as const;
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'VolumeCopy',
    metadata: { name: `c-${node}`, uid: `uid-${node}` },
    spec,
  };
});
const images = (state: SnapshotCopy['state'], other = state): Record<string, SnapshotCopy> =>
  Object.fromEntries(
    NODES.map((node, index) => {
      const place = { node, pool: 'default', uid: `uid-${node}`, role: 'data', index, sizeBytes: 7 } as const;
      return [`c-${node}`, { ...place, state: index === 2 ? other : state }];
    }),
  );
const decide = (status: VolumeSnapshotRecordStatus, more: Partial<SeenSnapshot> = {}) =>
  decideSnapshot({
    ...{
      status,
      isDeleting: false,
      volume: VOLUME,
      copies: COPIES,
      faults: () => [],
      clonesInMaking: [],
      askedAt: NOW,
      now: NOW,
    },
    ...{ nodes: new Set(NODES), usableNodes: new Set(NODES) },
    ...more,
  });
const freezing = (part: VolumeSnapshotRecordStatus): VolumeSnapshotRecordStatus => ({
  ...{ phase: 'Freezing', leader: 'n1', deadline: '2026-01-01T00:01:00Z' },
  ...part,
});

describe('decideSnapshot', () => {
  it('says for every copy of the placement where its image goes, and who leads', () => {
    const { status } = decide({});
    expect(status).toMatchObject({ phase: 'Freezing', leader: 'n1', copies: images('Waiting') });
    expect(status.volumeSpec).toMatchObject({ size: '1Gi', layout: 'replicated' });
  });

  it('refuses with the reason when something is in the way, and stores no intent', () => {
    const { status } = decide({}, { faults: () => [passing('it heals'), lasting('n1 is away'), lasting('n2 too')] });
    expect(status).toEqual({
      phase: 'Failed',
      message: 'no snapshot of volume gv0 can be taken: n1 is away; and 1 more',
    });
    expect(decide({}, { volume: undefined }).status).toMatchObject({ phase: 'Failed' });
  });

  it('waits with the reason for what ends by itself, for a minute from when it was asked for', () => {
    const faults = () => [passing('it heals')];
    const waiting: VolumeSnapshotRecordStatus = { phase: 'Pending', message: 'waits: it heals' };
    expect(decide({}, { faults })).toEqual({ status: waiting, isGone: false, requeueAfterMs: 60_000 });
    expect(decide(waiting, { faults, now: NOW + 59_000 })).toMatchObject({ status: waiting, requeueAfterMs: 1_000 });
    expect(decide(waiting, { faults, now: NOW + 60_000 }).status).toEqual({
      phase: 'Failed',
      message: 'no snapshot of volume gv0 can be taken within 60 s: it heals',
    });
    expect(decide(waiting, { now: NOW + 59_000 }).status).toMatchObject({ phase: 'Freezing' });
  });

  it('is Ready only when the barrier was held and every image is taken', () => {
    const barriers = ['Raising', 'Up', 'Held', 'Failed'] as const;
    const states = ['Waiting', 'Taking', 'Taken', 'Failed', 'Erased'] as const;
    for (const state of barriers) {
      for (const image of states) {
        const { status } = decide(freezing({ barrier: { state }, copies: images('Taken', image) }));
        expect([state, image, status.phase === 'Ready']).toEqual([state, image, state === 'Held' && image === 'Taken']);
      }
    }
    expect(decide(freezing({ copies: images('Taken') })).status.phase).toBeUndefined();
  });

  it('tells the moment before which everything is in it', () => {
    const since = '2026-01-01T00:00:07Z';
    const { status } = decide(freezing({ barrier: { state: 'Held', since }, copies: images('Taken') }));
    expect(status.takenAt).toBe(since);
  });

  it('fails at its deadline, naming who gave no image', () => {
    const seen = freezing({ barrier: { state: 'Up' }, copies: images('Taken', 'Taking') });
    expect(decide(seen).requeueAfterMs).toBe(60_000);
    const { status } = decide(seen, { now: NOW + 60_000 });
    expect(status).toEqual({ phase: 'Failed', message: 'it was not finished in time; no image from n3' });
  });

  it('lets the new anchor lower what a lost leader has left up, and only then', () => {
    const moved: Volume = { ...VOLUME, status: { ...VOLUME.status, anchor: 'n2' } };
    const status: VolumeSnapshotRecordStatus = { phase: 'Failed', leader: 'n1', barrier: { state: 'Up' } };
    const lost = { volume: moved, usableNodes: new Set(['n2', 'n3']) };
    expect(decide(status, lost).status).toEqual({ leader: 'n2' });
    expect(decide(status, { volume: moved }).status).toEqual({});
    expect(decide({ ...status, barrier: { state: 'Failed' } }, lost).status).toEqual({});
  });

  it('goes only when no clone needs it, every image is erased and the barrier is down', () => {
    const gone = (status: VolumeSnapshotRecordStatus, more: Partial<SeenSnapshot> = {}) =>
      decide(status, { isDeleting: true, ...more });
    const ready: VolumeSnapshotRecordStatus = { phase: 'Ready', barrier: { state: 'Held' }, copies: images('Taken') };
    expect(gone(ready, { clonesInMaking: ['c1'] }).status.phase).toBeUndefined();
    expect(gone(ready).status.phase).toBe('Deleting');
    const deleting: VolumeSnapshotRecordStatus = { ...ready, phase: 'Deleting' };
    expect(gone(deleting)).toMatchObject({ isGone: false });
    expect(gone({ ...deleting, copies: images('Erased', 'Taken') })).toMatchObject({ isGone: false });
    expect(gone({ ...deleting, copies: images('Erased') }).isGone).toBe(true);
    const up: VolumeSnapshotRecordStatus = { ...deleting, copies: images('Erased'), barrier: { state: 'Up' } };
    expect(gone(up).isGone).toBe(false);
    expect(gone(up, { volume: undefined }).isGone).toBe(true);
    // The third node was removed from the cluster, and its image with it.
    const left = { nodes: new Set(['n1', 'n2']) };
    expect(gone({ ...deleting, copies: images('Erased', 'Taken') }, left).isGone).toBe(true);
  });
});
