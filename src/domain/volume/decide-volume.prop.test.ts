import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacedCopy, VolumeEngineStatus, VolumeStatus } from '../../schemas/volume.ts';
import { decideVolume, type SeenCopy, type SeenVolume } from './decide-volume.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const PLACEMENT: PlacedCopy[] = NODES.map((node, index) => ({
  copy: `gv0-${index}`,
  node,
  pool: 'default',
  role: index === 2 ? 'arbiter' : 'data',
}));

const ALL_COPIES: SeenCopy[] = PLACEMENT.map(({ copy, node }) => {
  return { name: copy, node, isReady: true, isReleased: false };
});

const engineStatus: fc.Arbitrary<VolumeEngineStatus> = fc.record({
  observedBy: fc.constantFrom(...NODES),
  epoch: fc.nat(3),
  state: fc.constantFrom('Absent', 'Created', 'Started', 'Removed'),
  bricks: fc.tuple(...PLACEMENT.map((placed) => brickOf(placed))).map((bricks) => [...bricks]),
});

function brickOf(placed: PlacedCopy) {
  return fc.record({
    copy: fc.constant(placed.copy),
    node: fc.constant(placed.node),
    isOnline: fc.boolean(),
    isReadable: fc.boolean(),
    nodeReadySince: fc.constantFrom('t1', 't2'),
    pendingHeals: fc.nat(2),
  });
}

const seenVolume: fc.Arbitrary<SeenVolume> = fc
  .record({
    isDeleting: fc.boolean(),
    isPlaced: fc.boolean(),
    engine: fc.option(engineStatus, { nil: undefined }),
    copyCount: fc.nat(3),
    readiness: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    attachedNodes: fc.subarray([...NODES]),
    usable: fc.subarray([...NODES]),
    known: fc.option(fc.subarray([...NODES]), { nil: undefined }),
    anchor: fc.option(fc.constantFrom(...NODES), { nil: undefined }),
  })
  .map((drawn) => {
    const copies: SeenCopy[] = PLACEMENT.slice(0, drawn.copyCount).map((placed, index) => ({
      name: placed.copy,
      node: placed.node,
      isReady: drawn.readiness[index] ?? false,
      isReleased: false,
    }));
    const status: VolumeStatus = {
      ...(drawn.isPlaced ? { placement: PLACEMENT, epoch: 1 } : {}),
      ...(drawn.isPlaced && drawn.anchor !== undefined ? { anchor: drawn.anchor } : {}),
      ...(drawn.isPlaced && drawn.engine !== undefined ? { engine: drawn.engine } : {}),
    };
    return {
      name: 'gv0',
      uid: 'u',
      isDeleting: drawn.isDeleting,
      spec: { layout: 'replicated' as const },
      status,
      copies: drawn.isPlaced ? copies : [],
      attachments: drawn.attachedNodes.map((node) => ({ node })),
      usableNodes: new Map(drawn.usable.map((node) => [node, 't2'])),
      ...(drawn.known === undefined ? {} : { knownNodes: new Set(drawn.known) }),
      place: () => ({ ok: true, placement: PLACEMENT, reasons: [] }),
    };
  });

describe('decideVolume', () => {
  it('releases a copy only when the volume is deleted, unmounted, and seen removed from the engine, or all its nodes are given up', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        const decision = decideVolume(seen);
        if (decision.releaseCopies.length === 0) return;
        expect(seen.isDeleting).toBe(true);
        expect(seen.attachments).toEqual([]);
        const areGivenUp = seen.knownNodes !== undefined && PLACEMENT.every(({ node }) => !seen.knownNodes?.has(node));
        expect(seen.status.engine?.state === 'Removed' || areGivenUp).toBe(true);
      }),
    );
  });

  it('lets a volume go only when it is deleted and no copy is left', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        if (!decideVolume(seen).isGone) return;
        expect(seen.isDeleting).toBe(true);
        expect(seen.copies).toEqual([]);
      }),
    );
  });

  it('never creates copies for a volume that is being deleted, nor before its placement is stored', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        const decision = decideVolume(seen);
        if (decision.createCopies.length === 0) return;
        expect(seen.isDeleting).toBe(false);
        expect(seen.status.placement).toBeDefined();
      }),
    );
  });

  it('names only usable members as a new anchor and raises the epoch with it', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        const { anchor, epoch } = decideVolume(seen).status;
        if (anchor === undefined || anchor === seen.status.anchor) return;
        expect(seen.usableNodes.has(anchor)).toBe(true);
        expect(epoch).toBe((seen.status.epoch ?? 0) + 1);
      }),
    );
  });

  it('looks after a volume that is to be deleted as after any other while it is mounted', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        if (!seen.isDeleting || seen.attachments.length === 0 || seen.status.placement === undefined) return;
        const { status, claims } = decideVolume(seen);
        const wanted = decideVolume({ ...seen, isDeleting: false, copies: ALL_COPIES });
        expect([status.anchor, status.epoch]).toEqual([wanted.status.anchor, wanted.status.epoch]);
        const judged = decideVolume({ ...seen, copies: ALL_COPIES }).claims;
        expect(judged.find((made) => made.type === 'Redundant')).toEqual(
          wanted.claims.find((made) => made.type === 'Redundant'),
        );
        expect(claims.find((made) => made.type === 'Ready')).toMatchObject({ status: 'False', reason: 'InUse' });
      }),
    );
  });

  it('reaches a fixed point: the decision on its own status changes nothing more', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        const once = decideVolume(seen);
        if (once.createCopies.length > 0 || seen.status.placement === undefined) return;
        const again = decideVolume({ ...seen, status: { ...seen.status, ...once.status } });
        expect(again.status).toEqual(once.status);
        expect(again.claims).toEqual(once.claims);
      }),
    );
  });

  it('calls a volume ready only with a majority of copies that can be reached and read', () => {
    fc.assert(
      fc.property(seenVolume, (seen) => {
        const decision = decideVolume(seen);
        const ready = decision.claims.find((claim) => claim.type === 'Ready');
        if (ready?.status !== 'True') return;
        const serving = seen.status.engine?.bricks.filter(
          (brick) => brick.isOnline && brick.isReadable && seen.usableNodes.get(brick.node) === brick.nodeReadySince,
        );
        expect(serving?.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  it('never calls a copy current by what was seen of it before its node was away', () => {
    const bricks = PLACEMENT.map(({ node, copy }) => {
      const nodeReadySince = node === 'kube3' ? 't1' : 't2';
      return { copy, node, isOnline: true, isReadable: true, pendingHeals: 0, nodeReadySince };
    });
    const engine: VolumeEngineStatus = { observedBy: 'kube1', epoch: 1, state: 'Started', bricks };
    const seen: SeenVolume = {
      name: 'gv0',
      uid: 'u',
      isDeleting: false,
      spec: { layout: 'replicated' },
      status: { placement: PLACEMENT, anchor: 'kube1', epoch: 1, engine },
      copies: PLACEMENT.map(({ copy, node }) => ({ name: copy, node, isReady: true, isReleased: false })),
      attachments: [],
      usableNodes: new Map(NODES.map((node) => [node, 't2'])),
      place: () => ({ ok: false, message: '', reasons: [] }),
    };
    const redundantOf = (volume: SeenVolume) => decideVolume(volume).claims.find((made) => made.type === 'Redundant');
    expect(redundantOf(seen)).toMatchObject({ status: 'False', reason: 'CheckingCopies' });
    const checked = { ...seen, usableNodes: new Map([...seen.usableNodes, ['kube3', 't1'] as const]) };
    expect(redundantOf(checked)).toMatchObject({ status: 'True' });
    const now = Object.fromEntries(checked.usableNodes);
    const mounted = (missingCopies: number, nodesReadySince: Record<string, string>) => {
      return redundantOf({ ...checked, attachments: [{ node: 'kube2', missingCopies, nodesReadySince }] });
    };
    expect(mounted(0, now)).toMatchObject({ status: 'True' });
    expect(mounted(1, now)).toMatchObject({ status: 'False', reason: 'MountsReconnecting' });
    expect(mounted(0, { ...now, kube3: 't0' })).toMatchObject({ status: 'False', reason: 'MountsReconnecting' });
  });

  it('does not call a volume stopped only because its nodes have just come back', () => {
    const bricks = PLACEMENT.map(({ node, copy }) => {
      return { copy, node, isOnline: true, isReadable: true, pendingHeals: 0, nodeReadySince: 't1' };
    });
    const judge = (usable: readonly string[]) => {
      const engine: VolumeEngineStatus = { observedBy: 'kube1', epoch: 1, state: 'Started', bricks };
      return decideVolume({
        name: 'gv0',
        uid: 'u',
        isDeleting: false,
        spec: { layout: 'replicated' },
        status: { placement: PLACEMENT, anchor: 'kube1', epoch: 1, engine },
        copies: PLACEMENT.map(({ copy, node }) => ({ name: copy, node, isReady: true, isReleased: false })),
        attachments: [],
        usableNodes: new Map(usable.map((node) => [node, 't2'])),
        place: () => ({ ok: false, message: '', reasons: [] }),
      });
    };
    const back = judge(NODES);
    expect(back.status.phase).toBe('Degraded');
    expect(back.claims[0]).toMatchObject({ type: 'Ready', status: 'Unknown', reason: 'CheckingCopies' });
    const gone = judge(['kube1']);
    expect(gone.status.phase).toBe('Unavailable');
    expect(gone.claims[0]).toMatchObject({ type: 'Ready', status: 'False', reason: 'NoQuorum' });
  });
});
