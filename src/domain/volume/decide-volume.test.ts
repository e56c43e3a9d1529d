import { expect, it } from 'vitest';
import type { BrickStatus, PlacedCopy, VolumeEngineStatus } from '../../schemas/volume.ts';
import { decideVolume } from './decide-volume.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const PLACEMENT: PlacedCopy[] = NODES.map((node, index) => ({
  copy: `gv0-${index}`,
  node,
  pool: 'default',
  role: 'data',
}));

function judge(ofBrick: (node: string) => Partial<BrickStatus>, part: Partial<VolumeEngineStatus> = {}) {
  const bricks = PLACEMENT.map(({ copy, node }) => {
    return { copy, node, isOnline: true, isReadable: true, nodeReadySince: 't1', ...ofBrick(node) };
  });
  const decision = decideVolume({
    name: 'gv0',
    uid: 'u1',
    isDeleting: false,
    spec: { layout: 'replicated' },
    status: {
      placement: PLACEMENT,
      anchor: 'kube1',
      epoch: 1,
      engine: { observedBy: 'kube1', epoch: 1, state: 'Started', bricks, ...part },
    },
    copies: PLACEMENT.map(({ copy, node }) => ({ name: copy, node, isReady: true, isReleased: false })),
    attachments: [],
    usableNodes: new Map(NODES.map((node) => [node, 't1'])),
    place: () => ({ ok: false, message: 'not asked', reasons: [] }),
  });
  return {
    phase: decision.status.phase,
    ready: decision.claims.find((claim) => claim.type === 'Ready'),
    redundant: decision.claims.find((claim) => claim.type === 'Redundant'),
  };
}

it('calls copies current only when the engine has said so', () => {
  expect(judge(() => ({ pendingHeals: 0 }))).toMatchObject({ phase: 'Ready', redundant: { status: 'True' } });
});

it.each([
  ['nobody answered', () => ({})],
  ['one copy was left out', (node: string) => (node === 'kube3' ? {} : { pendingHeals: 0 })],
])('does not call a volume redundant when what is to heal is not known: %s', (_what, ofBrick) => {
  expect(judge(ofBrick)).toMatchObject({
    phase: 'Degraded',
    redundant: { status: 'Unknown', reason: 'HealsUnknown', message: expect.stringContaining('kube3') },
  });
});

it('does not call a volume that the engine held and holds no more one that is being created', () => {
  const lost = judge(() => ({}), {
    state: 'Absent',
    bricks: [],
    engineId: 'e1',
    message: 'GlusterFS holds it no more',
  });
  expect(lost).toMatchObject({
    phase: 'Unavailable',
    ready: { status: 'False', reason: 'EngineVolumeLost', message: 'GlusterFS holds it no more' },
  });
  expect(judge(() => ({}), { state: 'Absent', bricks: [] })).toMatchObject({ phase: 'Creating' });
});

it('lets each node look after its share of the volumes that lie on the same ones', () => {
  const counts = new Map<string | undefined, number>();
  for (let index = 0; index < 90; index += 1) {
    const { status } = decideVolume({
      ...{ name: `v${index}`, uid: `uid-${index}`, isDeleting: false, spec: { layout: 'replicated' } },
      ...{ status: {}, copies: [], attachments: [], usableNodes: new Map(NODES.map((node) => [node, 't1'])) },
      place: () => ({ ok: true, placement: PLACEMENT, reasons: [] }),
    });
    counts.set(status.anchor, (counts.get(status.anchor) ?? 0) + 1);
  }
  for (const node of NODES) expect(counts.get(node)).toBeGreaterThan(15);
});
