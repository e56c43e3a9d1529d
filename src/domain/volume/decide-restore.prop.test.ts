import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacedCopy, RestoreStatus, VolumeEngineStatus, VolumeStatus } from '../../schemas/volume.ts';
import { decideRestore, isHolding, type RestoredVolume, type SeenRestore } from './decide-restore.ts';
import { decideVolume, type SeenVolume } from './decide-volume.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const placement = (prefix: string): PlacedCopy[] =>
  NODES.map((node, at) => ({ copy: `${prefix}-${at}`, node, pool: 'default', role: 'data' }));
const [OLD, NEW] = [
  placement('old'),
  placement('new').map((placed) => ({ ...placed, imageOf: `image of ${placed.node}` })),
];
const WISH = { snapshot: 's1', snapshotUid: 'u1', safetySnapshot: 'before' } as const;

const engine: fc.Arbitrary<VolumeEngineStatus> = fc.record({
  observedBy: fc.constantFrom(...NODES),
  epoch: fc.nat(3),
  state: fc.constantFrom('Absent', 'Created', 'Started', 'Removed'),
  bricks: fc.constant([]),
});

const restoreStatus: fc.Arbitrary<RestoreStatus> = fc.record({
  snapshot: fc.constant(WISH.snapshot),
  snapshotUid: fc.constant(WISH.snapshotUid),
  safetySnapshot: fc.constantFrom(WISH.safetySnapshot, 'another'),
  phase: fc.constantFrom('Waiting', 'Closing', 'Saving', 'Removing', 'Starting', 'Done', 'Failed'),
  message: fc.constant('...'),
  placement: fc.constant(NEW),
});

const safety: fc.Arbitrary<SeenRestore['safety']> = fc.option(
  fc.record({
    isUsable: fc.boolean(),
    phase: fc.constantFrom('Pending', 'Freezing', 'Ready', 'Failed', 'Deleting'),
    message: fc.constant('...'),
  }),
  { nil: undefined },
);

const drawn: fc.Arbitrary<{ readonly volume: RestoredVolume; readonly seen: SeenRestore }> = fc
  .record({
    engine: fc.option(engine, { nil: undefined }),
    restore: fc.option(restoreStatus, { nil: undefined }),
    isWished: fc.boolean(),
    anchor: fc.constantFrom(...NODES),
    epoch: fc.nat(3),
    safety,
    snapshotFault: fc.option(fc.constant('it is gone'), { nil: undefined }),
    fault: fc.option(fc.constant('it grows'), { nil: undefined }),
    hasPlace: fc.boolean(),
    attachedOn: fc.subarray([...NODES]),
    isFrozen: fc.boolean(),
    copies: fc.subarray([...OLD, ...NEW]),
    ready: fc.subarray([...OLD, ...NEW]),
    usable: fc.subarray([...NODES]),
  })
  .map((each) => {
    const status: VolumeStatus = {
      placement: OLD,
      anchor: each.anchor,
      epoch: each.epoch,
      ...(each.engine === undefined ? {} : { engine: each.engine }),
      ...(each.restore === undefined ? {} : { restore: each.restore }),
    };
    const copies = each.copies.map((placed) => {
      return { name: placed.copy, node: placed.node, isReady: each.ready.includes(placed), isReleased: false };
    });
    const usableNodes = new Map(each.usable.map((node) => [node, 't1']));
    const seen: SeenRestore = {
      wish: each.isWished ? WISH : undefined,
      faults: () => (each.fault === undefined ? [] : [each.fault]),
      place: () => (each.hasPlace ? { ok: true, placement: NEW } : { ok: false, message: 'full' }),
      snapshotFault: each.snapshotFault,
      safety: each.safety,
      attachedOn: each.attachedOn,
      isFrozen: each.isFrozen,
    };
    return { volume: { status, copies, usableNodes }, seen };
  });

function wholeVolume({ status, copies, usableNodes }: RestoredVolume, restore: SeenRestore): SeenVolume {
  return {
    name: 'gv0',
    uid: 'u',
    isDeleting: false,
    spec: { layout: 'replicated' },
    ...{ status, copies, usableNodes, restore },
    attachments: [],
    place: () => ({ ok: false, message: 'not asked', reasons: [] }),
    membership: {
      effective: OLD,
      decide: () => ({ release: ['new-0'], abandon: [], state: 'Changing', message: 'gives up new-0' }),
    },
  };
}

describe('decideRestore', () => {
  it('tells the engine to let go only of a volume whose present is kept and whose new copies are all made', () => {
    fc.assert(
      fc.property(drawn, ({ volume, seen }) => {
        const decided = decideRestore(volume, seen);
        if (decided.restore?.phase !== 'Removing' || volume.status.restore?.phase === 'Removing') return;
        expect(volume.status.restore?.phase).toBe('Saving');
        expect(seen.safety).toMatchObject({ isUsable: true, phase: 'Ready' });
        expect(seen.wish).toBeDefined();
        for (const placed of NEW) {
          expect(volume.copies.find((copy) => copy.name === placed.copy)?.isReady).toBe(true);
        }
      }),
    );
  });

  it('goes on to keep the present only when no mount was recorded after nobody might make one any more', () => {
    fc.assert(
      fc.property(drawn, ({ volume, seen }) => {
        const decided = decideRestore(volume, seen);
        const before = volume.status.restore?.phase;
        if (decided.restore?.phase !== 'Saving' || before === 'Saving') return;
        expect(before).toBe('Closing');
        expect(seen.attachedOn).toEqual([]);
        expect(seen.snapshotFault).toBeUndefined();
        expect(decided.holdsSnapshot).toBe(true);
      }),
    );
  });

  it('gives the volume other copies only when its anchor has seen the old ones gone, in a new epoch, without what was seen', () => {
    fc.assert(
      fc.property(drawn, ({ volume, seen }) => {
        const { status } = decideVolume(wholeVolume(volume, seen));
        if (status.placement === undefined) return;
        const { engine: was, anchor, epoch = 0, restore } = volume.status;
        expect(restore?.phase).toBe('Removing');
        expect(was).toMatchObject({ state: 'Removed', observedBy: anchor, epoch });
        expect(status.placement).toEqual(NEW.map(({ imageOf: _image, ...placed }) => placed));
        expect(status.epoch).toBe(epoch + 1);
        expect('engine' in status && status.engine === undefined).toBe(true);
        expect(status.placement.map(({ node }) => node)).toContain(status.anchor);
      }),
    );
  });

  it('releases nothing while nobody may mount the volume', () => {
    fc.assert(
      fc.property(drawn, ({ volume, seen }) => {
        if (!isHolding(volume.status)) return;
        const { releaseCopies, abandonCopies } = decideVolume(wholeVolume(volume, seen));
        expect([...releaseCopies, ...abandonCopies]).toEqual([]);
      }),
    );
  });

  it('leaves a volume alone that nobody wants restored, and one whose wish is settled', () => {
    fc.assert(
      fc.property(drawn, ({ volume, seen }) => {
        const { restore } = volume.status;
        const isSettled = restore === undefined || restore.phase === 'Done' || restore.phase === 'Failed';
        const isNew = seen.wish !== undefined && seen.wish.safetySnapshot !== restore?.safetySnapshot;
        if (!isSettled || isNew) return;
        expect(decideRestore(volume, seen)).toEqual({});
      }),
    );
  });
});
