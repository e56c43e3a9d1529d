import { describe, expect, it } from 'vitest';
import { GIB } from '../../domain/bytes.ts';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type {
  DesiredAttachment,
  DesiredCopy,
  DesiredPeers,
  DesiredVolume,
  ObservedBrick,
  ObservedPeer,
  ObservedVolume,
} from '../../ports/engine.ts';
import { wantedOptions } from './options.ts';
import { planGluster } from './plan.ts';
import type { ObservedGlusterCopy } from './plan-copy.ts';

const steps = (planned: readonly { step: string }[]) => planned.map((step) => step.step);

describe('peers', () => {
  const desired: DesiredPeers = { subject: 'peers', self: 'kube1', members: ['kube1', 'kube2', 'kube3'] };
  const peer = (...names: string[]): ObservedPeer => ({ uuid: 'u', names, isConnected: true, isMember: true });
  const addresses = { kube2: ['10.9.0.2'], kube3: ['10.9.0.3'] };

  it('joins members that are missing, never itself', () => {
    const planned = planGluster(desired, { subject: 'peers', peers: [peer('kube2')], addresses });
    expect(planned).toEqual([{ step: 'probePeer', node: 'kube3', about: 'join kube3 to the trusted pool of kube1' }]);
  });

  it('does nothing when all are known by name', () => {
    const observed = { subject: 'peers' as const, peers: [peer('kube2'), peer('10.9.0.3', 'kube3')], addresses };
    expect(planGluster(desired, observed)).toEqual([]);
  });

  it('lets a node that is not the anchor name peers, but join nobody', () => {
    const planned = planGluster(
      { ...desired, mayInvite: false },
      { subject: 'peers', peers: [peer('10.9.0.2')], addresses },
    );
    expect(planned).toEqual([{ step: 'probePeer', node: 'kube2', about: 'name the peer 10.9.0.2 as kube2' }]);
  });
});

describe('copy', () => {
  const desired: DesiredCopy = {
    subject: 'copy',
    isPresent: true,
    copyUid: '3f1c5a52-9d0e-4d6e-8a3b-0c1d2e3f4a5b',
    volume: parseEngineVolumeName('gv0'),
    volumeUid: '6a1c5a52-9d0e-4d6e-8a3b-0c1d2e3f4a5c',
    poolPath: '/pool',
    brick: 'image',
    sizeBytes: GIB,
  };
  const seen = (part: Partial<ObservedGlusterCopy>): ObservedGlusterCopy => ({
    subject: 'copy',
    state: 'partial',
    brickPath: '/b',
    ...part,
  });
  const plan = (part: Partial<DesiredCopy>, observed: Partial<ObservedGlusterCopy>) =>
    steps(planGluster({ ...desired, ...part }, seen(observed)));

  it('makes, mounts and fills an image', () => {
    expect(plan({}, { state: 'absent' })).toEqual(['makeImage', 'mountImage', 'makeBrick']);
  });

  it('goes on where an earlier try stopped', () => {
    expect(plan({}, {})).toEqual(['makeImage', 'mountImage', 'makeBrick']);
    expect(plan({}, { hasImage: true })).toEqual(['mountImage', 'makeBrick']);
    expect(plan({}, { hasImage: true, isMounted: true })).toEqual(['makeBrick']);
    expect(plan({}, { state: 'ready', hasImage: true, isMounted: true })).toEqual([]);
  });

  it('never makes an image again where one is', () => {
    for (const state of ['partial', 'broken', 'ready'] as const) {
      expect(plan({}, { state, hasImage: true })).not.toContain('makeImage');
    }
  });

  it('only makes a directory for a directory brick', () => {
    expect(plan({ brick: 'directory' }, { state: 'absent' })).toEqual(['makeBrick']);
  });

  it('refuses to touch a copy that cannot be read', () => {
    const planned = planGluster(desired, seen({ state: 'broken', message: 'the image is ext4' }));
    expect(planned).toMatchObject([{ step: 'refuse', reason: 'CopyBroken', about: 'the image is ext4' }]);
  });

  it('mounts a file system anew that has shut down, when its process is gone', () => {
    const shutDown = { state: 'broken', isShutDown: true, isMounted: true, hasImage: true } as const;
    expect(plan({}, shutDown)).toEqual(['stopBrick', 'unmountImage', 'mountImage', 'makeBrick']);
    expect(plan({ isPresent: false }, shutDown)).toEqual(['unmountImage', 'eraseCopy']);
  });

  it('ends a process that no client is sent to before anything else is done to the copy', () => {
    expect(plan({ sizeBytes: 2 * desired.sizeBytes }, { state: 'ready', hasLostPort: true, isMounted: true })).toEqual([
      'endLostBrick',
    ]);
    expect(plan({ isPresent: false }, { state: 'ready', hasLostPort: true })).toEqual(['eraseCopy']);
  });

  it('fills a copy that a power loss left blank from the others, if there are any', () => {
    const blank = { state: 'broken', isMounted: true, hasImage: true } as const;
    const lost = { node: 'kube1', message: 'the brick directory is blank' };
    expect(plan({}, { ...blank, blank: { ...lost, isRedundant: true } })).toEqual(['rebuildBrick']);
    expect(plan({}, { ...blank, blank: { ...lost, isRedundant: false } })).toEqual(['refuse']);
    expect(plan({}, { state: 'ready', isUndescribed: true })).toEqual(['rewriteVolumeFiles']);
  });

  it('never makes a copy anew that was ready and is counted on: it is lost, or its disk is not mounted', () => {
    const lost = [{ step: 'refuse', kind: 'dataLoss', reason: 'CopyLost' }];
    for (const brick of ['image', 'directory'] as const) {
      const inUse = { ...desired, brick, isInUse: true };
      expect(planGluster(inUse, seen({ state: 'absent' }))).toMatchObject(lost);
    }
    expect(planGluster({ ...desired, isInUse: true }, seen({ isMounted: true }))).toMatchObject(lost);
    expect(plan({ isInUse: true }, { hasImage: true })).toEqual(['mountImage', 'makeBrick']);
    expect(plan({ isInUse: true, isPresent: false }, { state: 'absent' })).toEqual([]);
  });

  it('unmounts before it erases, also what is broken', () => {
    expect(plan({ isPresent: false }, { state: 'ready', isMounted: true })).toEqual(['unmountImage', 'eraseCopy']);
    expect(plan({ isPresent: false }, { state: 'broken', isMounted: true })).toEqual(['unmountImage', 'eraseCopy']);
    expect(plan({ isPresent: false }, { state: 'partial' })).toEqual(['eraseCopy']);
    expect(plan({ isPresent: false }, { state: 'absent' })).toEqual([]);
  });
});

describe('volume', () => {
  const nodes = ['kube1', 'kube2', 'kube3'];
  const brickPath = (node: string) =>
    `/pool/.holdfast/copies/3f1c5a52-9d0e-4d6e-8a3b-0c1d2e3f4a5${node.at(-1)}/mnt/data/brick`;
  const desired: DesiredVolume = {
    subject: 'volume',
    isPresent: true,
    name: parseEngineVolumeName('gv0'),
    layout: 'replicated',
    bricks: nodes.map((node) => ({ node, path: brickPath(node), isArbiter: false })),
    options: {},
  };
  const healthy = (node: string): ObservedBrick => ({
    node,
    path: brickPath(node),
    isOnline: true,
    isReadable: true,
    isNodeReachable: true,
    pendingHeals: 0,
    splitBrainEntries: 0,
  });
  const whole: ObservedVolume = {
    subject: 'volume',
    isPresent: true,
    isStarted: true,
    bricks: nodes.map(healthy),
    options: wantedOptions(desired),
  };
  const absent: ObservedVolume = { subject: 'volume', isPresent: false, isStarted: false, bricks: [], options: {} };
  const withBrick = (part: Partial<ObservedBrick>): ObservedVolume => ({
    ...whole,
    bricks: [{ ...healthy('kube1'), ...part }, healthy('kube2'), healthy('kube3')],
  });

  it('creates, sets options before the first start, starts', () => {
    const planned = planGluster(desired, absent);
    expect(steps(planned)).toEqual(['createVolume', 'setOptions', 'startVolume']);
    expect(planned[0]?.about).toBe('create volume gv0 on kube1, kube2, kube3');
    expect(planned[1]).toMatchObject({
      options: {
        'network.ping-timeout': '5',
        'server.tcp-user-timeout': '10',
        'server.keepalive-time': '5',
        'server.keepalive-interval': '1',
        'cluster.heal-timeout': '30',
        'cluster.quorum-type': 'auto',
        'cluster.server-quorum-type': 'server',
        'cluster.favorite-child-policy': 'none',
      },
    });
  });

  it('goes on where an earlier try stopped', () => {
    expect(steps(planGluster(desired, { ...whole, isStarted: false, options: {} }))).toEqual([
      'setOptions',
      'startVolume',
    ]);
    expect(steps(planGluster(desired, { ...whole, isStarted: false }))).toEqual(['startVolume']);
    expect(planGluster(desired, whole)).toEqual([]);
  });

  it('sets only what differs, and lets options asked for win over its own', () => {
    const wanted = { ...desired, options: { 'network.ping-timeout': '10', 'auth.allow': '10.9.0.*' } };
    expect(planGluster(wanted, whole)).toMatchObject([
      { step: 'setOptions', options: { 'network.ping-timeout': '10', 'auth.allow': '10.9.0.*' } },
    ]);
  });

  it('gives a single copy no quorum', () => {
    const single = { ...desired, layout: 'single' as const, bricks: desired.bricks.slice(0, 1) };
    const options = Object.keys(wantedOptions(single));
    expect(options).toContain('network.ping-timeout');
    expect(options.filter((name) => name.startsWith('cluster.'))).toEqual([]);
  });

  it('sets the options of replication only where data is replicated, and pieces only before the first start', () => {
    const setOf = (layout: DesiredVolume['layout'], shardBytes?: number) => {
      const shaped = { ...desired, layout, ...(shardBytes === undefined ? {} : { shardBytes }) };
      const step = planGluster(shaped, absent).find((each) => each.step === 'setOptions');
      return Object.keys(step !== undefined && 'options' in step ? step.options : {});
    };
    expect(setOf('distributed')).not.toContain('cluster.server-quorum-type');
    expect(setOf('dispersed')).toContain('cluster.server-quorum-type');
    expect(setOf('dispersed')).not.toContain('cluster.quorum-type');
    expect(setOf('distributed-replicated')).toContain('cluster.quorum-type');
    expect(setOf('distributed', 64 * 1024 ** 2)).toContain('features.shard');
    expect(planGluster({ ...desired, shardBytes: 64 * 1024 ** 2 }, whole)).toEqual([]);
  });

  it('gives two copies that may diverge no quorum, and starts their bricks however few nodes are left', () => {
    const apart = { ...desired, mayDiverge: true, bricks: desired.bricks.slice(0, 2) };
    expect(wantedOptions(apart)).toMatchObject({
      'cluster.quorum-type': 'none',
      'cluster.server-quorum-type': 'none',
      'cluster.favorite-child-policy': 'none',
    });
    const bricks = [
      { ...healthy('kube1'), isOnline: false },
      { ...healthy('kube2'), isNodeReachable: false },
    ];
    const seen = { ...whole, options: wantedOptions(apart), bricks };
    expect(steps(planGluster(apart, seen))).toEqual(['startBricks']);
    const { mayDiverge: _, ...together } = apart;
    expect(steps(planGluster(together, { ...seen, options: wantedOptions(together) }))).toEqual([]);
  });

  it('starts the bricks of a volume without redundancy however few nodes are left', () => {
    const alone = { isOnline: true, isReadable: true, isNodeReachable: true };
    const bricks = whole.bricks.map((brick, at) => ({
      ...brick,
      ...(at === 0 ? { ...alone, isOnline: false, isReadable: false } : { ...alone, isNodeReachable: false }),
    }));
    const seen = { ...whole, bricks };
    expect(steps(planGluster({ ...desired, layout: 'distributed', sets: 3 }, seen))).toContain('startBricks');
    expect(steps(planGluster(desired, seen))).not.toContain('startBricks');
  });

  it('limits a volume of directory bricks after its start', () => {
    const limited = { ...desired, limitBytes: GIB };
    expect(steps(planGluster(limited, absent))).toEqual(['createVolume', 'setOptions', 'startVolume', 'limitVolume']);
    expect(planGluster(limited, { ...whole, limitBytes: GIB })).toEqual([]);
    expect(steps(planGluster(limited, { ...whole, limitBytes: 2 * GIB }))).toEqual(['limitVolume']);
  });

  it('starts bricks that are down, but not those of a node that is away', () => {
    expect(steps(planGluster(desired, withBrick({ isOnline: false, isReadable: false })))).toEqual(['startBricks']);
    const away = withBrick({ isOnline: false, isReadable: false, isNodeReachable: false });
    expect(planGluster(desired, away)).toEqual([]);
  });

  it('heals what is pending once all copies can be read: gluster launches it no sooner', () => {
    expect(planGluster(desired, withBrick({ pendingHeals: 3 }))).toMatchObject([
      { step: 'healVolume', about: 'heal 3 entries of gv0' },
    ]);
    const [first, ...others] = whole.bricks.map((brick) => ({ ...brick, pendingHeals: 3 }));
    const bricks = [{ ...healthy('kube1'), ...first, isReadable: false }, ...others];
    expect(planGluster(desired, { ...whole, bricks })).toEqual([]);
  });

  it('leaves split brain to a person', () => {
    expect(planGluster(desired, withBrick({ splitBrainEntries: 2 }))).toEqual([]);
  });

  it('stops and deletes', () => {
    expect(steps(planGluster({ ...desired, isPresent: false }, whole))).toEqual(['stopVolume', 'deleteVolume']);
    expect(steps(planGluster({ ...desired, isPresent: false }, { ...whole, isStarted: false }))).toEqual([
      'deleteVolume',
    ]);
    expect(planGluster({ ...desired, isPresent: false }, absent)).toEqual([]);
  });

  it('leaves starting to GlusterFS while most nodes are away: its server quorum refuses', () => {
    const away = { isOnline: false, isReadable: false, isNodeReachable: false };
    const bricks = nodes.map((node) => ({ ...healthy(node), ...(node === 'kube1' ? { isOnline: false } : away) }));
    expect(planGluster(desired, { ...whole, bricks })).toEqual([]);
  });

  it('deletes a volume of which not all copies are known any more, if all its bricks are in Holdfast places', () => {
    const removal = { ...desired, isPresent: false, bricks: [] };
    expect(steps(planGluster(removal, whole))).toEqual(['stopVolume', 'deleteVolume']);
    const foreign = [{ ...healthy('kube1'), path: '/data/gv0' }];
    expect(steps(planGluster(removal, { ...whole, bricks: foreign }))).toEqual(['refuse']);
  });

  it('deletes no volume of the same name that holds none of its copies, whatever it does not know of them', () => {
    const bricks = nodes.map((node) => ({
      ...healthy(node),
      path: '/pool/.holdfast/copies/00000000-0000-4000-8000-00000000000a/mnt/data/brick',
    }));
    const removal = { ...desired, isPresent: false, bricks: [], copyUids: ['00000000-0000-4000-8000-00000000000b'] };
    expect(planGluster(removal, { ...whole, bricks })).toMatchObject([{ step: 'refuse', reason: 'ForeignVolume' }]);
    const own = { ...removal, copyUids: ['00000000-0000-4000-8000-00000000000a'] };
    expect(steps(planGluster(own, { ...whole, bricks }))).toEqual(['stopVolume', 'deleteVolume']);
  });

  it('never creates a volume again that GlusterFS once had', () => {
    const had = { ...desired, engineId: 'e1' };
    expect(planGluster(had, absent)).toMatchObject([{ step: 'refuse', kind: 'dataLoss', reason: 'EngineVolumeLost' }]);
    expect(planGluster(had, whole)).toEqual([]);
    expect(planGluster({ ...had, isPresent: false }, absent)).toEqual([]);
  });

  it.each([true, false])('leaves a volume of the same name with other bricks alone (wanted: %s)', (isPresent) => {
    const foreign = { ...whole, bricks: [healthy('kube1')] };
    expect(planGluster({ ...desired, isPresent }, foreign)).toMatchObject([
      { step: 'refuse', reason: 'ForeignVolume' },
    ]);
  });
});

describe('attachment', () => {
  const desired: DesiredAttachment = {
    subject: 'attachment',
    isPresent: true,
    volume: parseEngineVolumeName('gv0'),
    mountPath: '/data',
    isReadOnly: false,
    servers: ['kube1', 'kube2'],
  };

  it.each([
    [true, 'absent', ['mountVolume']],
    [true, 'mounted', []],
    [true, 'dead', ['unmountVolume', 'mountVolume']],
    [true, 'foreign', ['refuse']],
    [false, 'absent', []],
    [false, 'mounted', ['unmountVolume']],
    [false, 'dead', ['unmountVolume']],
    [false, 'foreign', []],
  ] as const)('wanted %s and %s', (isPresent, state, expected) => {
    const planned = planGluster({ ...desired, isPresent }, { subject: 'attachment', state });
    expect(steps(planned)).toEqual(expected);
    const unmounts = planned.filter((step) => step.step === 'unmountVolume');
    for (const unmount of unmounts) expect(unmount).toMatchObject({ isLazy: state === 'dead' });
  });
});
