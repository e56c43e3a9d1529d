import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlacedCopy, Volume, VolumeFenceStatus } from '../../schemas/volume.ts';
import type { VolumeAttachmentRecord } from '../../schemas/volume-attachment-record.ts';
import { judgeFence } from './judge-fence.ts';

const NODES = ['kube1', 'kube2', 'kube3', 'kube4'] as const;
const UID = 'this-fence';
const SPEC = { node: 'kube3', nodeUid: 'u', bootId: 'b', addresses: ['10.0.0.3'] };

const volume: fc.Arbitrary<Volume> = fc
  .record({
    name: fc.constantFrom('gv0', 'gv1'),
    layout: fc.constantFrom('single', 'replicated', 'arbiter', 'dispersed'),
    nodes: fc.shuffledSubarray([...NODES], { minLength: 1, maxLength: 4 }),
    fence: fc.constantFrom(UID, 'an-earlier-fence'),
    isRefused: fc.boolean(),
    shown: fc.subarray([0, 1, 2, 3]),
    mayDiverge: fc.boolean(),
  })
  .map(({ name, layout, nodes, fence, isRefused, shown, mayDiverge }) => {
    const placement: PlacedCopy[] = nodes.map((node, at) => {
      return { copy: `${name}-${at}`, node, pool: 'default', role: 'data' };
    });
    const copies = Object.fromEntries(placement.filter((_, at) => shown.includes(at)).map(({ copy }) => [copy, 't']));
    return gluster(name, { layout, placement, mayDiverge }, { fence, node: 'kube3', isRefused, copies });
  });

function gluster(
  name: string,
  spec: {
    readonly layout: Volume['spec']['layout'];
    readonly placement: PlacedCopy[];
    readonly mayDiverge?: boolean;
  },
  fence: VolumeFenceStatus,
): Volume {
  const { layout, placement, mayDiverge = false } = spec;
  const replicas = layout === 'replicated' && mayDiverge ? { replicas: 2, allowSplitBrain: true } : {};
  const engine = { observedBy: 'kube1', epoch: 1, state: 'Started', engineId: 'id' } as const;
  return {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name } },
    spec: { size: '1Gi', engine: 'gluster', layout, pool: 'default', brick: 'image', ...replicas },
    status: { placement, engine: { ...engine, bricks: [], fences: [fence] } },
  };
}

function judge(volumes: readonly Volume[], attachments: readonly VolumeAttachmentRecord[] = []) {
  return judgeFence({ uid: UID, spec: SPEC, volumes, attachments });
}

function expectShown({ status }: Volume): void {
  const fence = status?.engine?.fences?.find((each) => each.fence === UID);
  expect(fence?.isRefused).toBe(true);
  const { placement = [] } = status ?? {};
  const silent = placement.filter(({ copy }) => fence?.copies[copy] === undefined);
  expect(silent.filter(({ node }) => node !== 'kube3')).toEqual([]);
  // Its own may be missing only where the others are more.
  expect(silent.length === 0 || placement.length >= 3).toBe(true);
}

describe('a fence is held', () => {
  it('only when each copy that the node does not have itself has shown it after the fence was asked for', () => {
    fc.assert(
      fc.property(fc.uniqueArray(volume, { selector: ({ metadata }) => metadata.name }), (volumes) => {
        for (const each of judge(volumes).isHeld ? volumes : []) expectShown(each);
      }),
    );
  });

  it.each([
    ['a copy without others on the node itself', 'single', ['kube3'], false, 'Waiting'],
    ['two copies that go on alone', 'replicated', ['kube1', 'kube3'], true, 'Waiting'],
    ['two copies of which the first may be enough', 'replicated', ['kube3', 'kube1'], false, 'Waiting'],
    ['three copies', 'replicated', ['kube1', 'kube2', 'kube3'], false, 'Held'],
    ['a fragment of three', 'dispersed', ['kube1', 'kube2', 'kube3'], false, 'Held'],
  ] as const)('although its own copy is silent? %s', (_what, layout, nodes, mayDiverge, state) => {
    const placement = nodes.map((node): PlacedCopy => ({ copy: node, node, pool: 'default', role: 'data' }));
    const copies = Object.fromEntries(nodes.filter((node) => node !== 'kube3').map((node) => [node, 't']));
    const fence = { fence: UID, node: 'kube3', isRefused: true, copies };
    const { volumes, isHeld } = judge([gluster('gv0', { layout, placement, mayDiverge }, fence)]);
    expect(volumes['gv0']?.state).toBe(state);
    expect(isHeld).toBe(state === 'Held');
  });
});

describe('an export', () => {
  const placement: PlacedCopy[] = NODES.slice(0, 3).map((node) => ({
    copy: node,
    node,
    pool: 'default',
    role: 'data',
  }));
  const copies = Object.fromEntries(placement.map(({ copy }) => [copy, 't']));
  const volumeOf = gluster(
    'gv0',
    { layout: 'replicated', placement },
    { fence: UID, node: 'kube3', isRefused: true, copies },
  );
  const exported = (node: string, clients: string[], isReadOnly = false): VolumeAttachmentRecord => ({
    ...{
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'VolumeAttachmentRecord',
      metadata: { name: `gv0.${node}.export` },
    },
    spec: {
      ...{ volume: 'gv0', node, mountPath: '/gv0', isReadOnly },
      export: { id: 1, clients, squash: 'root', mayGoBeyond: false },
    },
  });

  it.each([
    ['by another node to a network with the node', exported('kube1', ['10.0.0.0/24']), 'CannotBeFenced'],
    ['by another node to others', exported('kube1', ['10.0.1.0/24']), 'Held'],
    ['to be read only', exported('kube1', ['10.0.0.3'], true), 'Held'],
    ['by the node itself', exported('kube3', ['0.0.0.0/0']), 'Held'],
  ])('%s', (_how, record, state) => {
    expect(judge([volumeOf], [record]).volumes['gv0']?.state).toBe(state);
  });
});

describe('a share of a file server', () => {
  const share: Volume = {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume', metadata: { name: 's' } },
    spec: {
      ...{ size: '1Gi', engine: 'nfs', layout: 'single', pool: 'default', brick: 'image' },
      share: { server: 'files', path: '/export' },
    },
  };
  const record = (status: VolumeAttachmentRecord['status']): VolumeAttachmentRecord => ({
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'VolumeAttachmentRecord', metadata: { name: 's.kube3' } },
    spec: { volume: 's', node: 'kube3', mountPath: '/s', isReadOnly: false },
    ...(status === undefined ? {} : { status }),
  });

  it('does not obey Holdfast: only the node itself can say that it has let go', () => {
    expect(judge([share]).volumes['s']?.state).toBe('NotNeeded');
    const mounted = judge([share], [record({ state: 'Mounted' })]);
    expect(mounted).toMatchObject({ isHeld: false, volumes: { s: { state: 'CannotBeFenced' } } });
    expect(mounted.message).toContain('have it refuse 10.0.0.3');
    expect(judge([share], [record({ state: 'HeldBack' })]).isHeld).toBe(false);
    expect(judge([share], [record({ state: 'HeldBack', fence: UID })]).volumes['s']?.state).toBe('Held');
  });
});
