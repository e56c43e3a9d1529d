import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VolumeStatus } from '../../schemas/volume.ts';
import { seeShare } from './decide-share.ts';
import { decideVolume, type SeenVolume } from './decide-volume.ts';

const NODES = ['kube1', 'kube2', 'kube3'];
const state = fc.constantFrom('Absent', 'Created', 'Started', 'Stopped', 'Removed');
const engine = fc.record({
  state,
  hasId: fc.boolean(),
  message: fc.option(fc.constant('no answer'), { nil: undefined }),
});

const seen = fc
  .record({
    isDeleting: fc.boolean(),
    anchor: fc.option(fc.constantFrom(...NODES), { nil: undefined }),
    phase: fc.constantFrom('Pending', 'Ready', 'Deleting', undefined),
    engine: fc.option(engine, { nil: undefined }),
    usable: fc.subarray(NODES),
    nodes: fc.option(fc.subarray(NODES, { minLength: 1 }), { nil: undefined }),
    attached: fc.subarray(NODES),
  })
  .map((made): SeenVolume => {
    const status: VolumeStatus = {
      ...(made.anchor === undefined ? {} : { anchor: made.anchor, epoch: 4 }),
      ...(made.phase === undefined ? {} : { phase: made.phase }),
      ...(made.engine === undefined
        ? {}
        : {
            engine: {
              ...{ observedBy: 'kube1', epoch: 4, state: made.engine.state, bricks: [] },
              ...(made.engine.hasId ? { engineId: 'uid-1' } : {}),
              ...(made.engine.message === undefined ? {} : { message: made.engine.message }),
            },
          }),
    };
    const share = { server: 'files', path: '/export', subDir: 'db' };
    return {
      ...{ name: 'db', uid: 'uid-1', isDeleting: made.isDeleting, spec: { layout: 'single' }, status, copies: [] },
      share: seeShare({ share, size: '10Gi', nodes: made.nodes }),
      attachments: made.attached.map((node) => ({ node })),
      usableNodes: new Map(made.usable.map((node) => [node, 'since'])),
      place: () => {
        throw new Error('a share is placed nowhere');
      },
    };
  });

describe('a share', () => {
  test('goes only when an agent that knew of the deletion said that nothing is left, or none ever knew of it', () => {
    fc.assert(
      fc.property(seen, (volume) => {
        const { isGone } = decideVolume(volume);
        if (!isGone) return;
        expect(volume.isDeleting).toBe(true);
        expect(volume.attachments).toEqual([]);
        const { anchor, phase, engine: told } = volume.status;
        expect(anchor === undefined || (phase === 'Deleting' && told?.state === 'Removed')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('has an anchor that can mount it and may look after it, and another one only with another epoch', () => {
    fc.assert(
      fc.property(seen, (volume) => {
        const { anchor, epoch } = decideVolume(volume).status;
        const may = (node: string) => volume.usableNodes.has(node) && (volume.share?.nodes?.includes(node) ?? true);
        if (anchor !== volume.status.anchor) {
          expect(may(anchor ?? '')).toBe(true);
          expect(epoch).toBe((volume.status.epoch ?? 0) + 1);
        }
        if (anchor !== undefined && !may(anchor)) expect(NODES.some(may)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test('has no copies, and is Ready only while an agent that is there has seen it', () => {
    fc.assert(
      fc.property(seen, (volume) => {
        const { createCopies, releaseCopies, claims, status } = decideVolume(volume);
        expect([...createCopies, ...releaseCopies]).toEqual([]);
        if (!claims.some((claim) => claim.type === 'Ready' && claim.status === 'True')) return;
        expect(volume.status.engine?.state).toBe('Started');
        expect(volume.usableNodes.has(status.anchor ?? '')).toBe(true);
        expect(volume.isDeleting).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});
