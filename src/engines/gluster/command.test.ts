import { describe, expect, it } from 'vitest';
import type { DesiredBrick } from '../../ports/engine.ts';
import * as command from './command.ts';

const brick = (node: string, isArbiter = false): DesiredBrick => ({ node, path: `/pool/${node}/brick`, isArbiter });

describe('argument lists', () => {
  it.each<[string, command.Argv]>([
    ['pool list', command.poolListArgv()],
    ['peer probe kube2', command.peerProbeArgv('kube2')],
    ['volume info gv0', command.volumeInfoArgv('gv0')],
    ['volume status gv0', command.volumeStatusArgv('gv0')],
    ['volume heal gv0 info summary', command.healSummaryArgv('gv0')],
    ['volume heal gv0', command.healArgv('gv0')],
    ['volume start gv0', command.volumeStartArgv('gv0', false)],
    ['volume start gv0 force', command.volumeStartArgv('gv0', true)],
    ['volume stop gv0 force', command.volumeStopArgv('gv0')],
    ['volume delete gv0', command.volumeDeleteArgv('gv0')],
    ['volume reset-brick gv0 kube1:/pool/kube1/brick start', command.resetBrickArgv('gv0', brick('kube1'), 'start')],
    [
      'volume reset-brick gv0 kube1:/pool/kube1/brick kube1:/pool/kube1/brick commit force',
      command.resetBrickArgv('gv0', brick('kube1'), 'commit'),
    ],
    ['volume quota gv0 list /', command.quotaListArgv('gv0')],
    ['volume quota gv0 enable', command.quotaEnableArgv('gv0')],
    ['volume quota gv0 hard-timeout 0', command.quotaTimeoutArgv('gv0', 'hard-timeout')],
    ['volume quota gv0 limit-usage / 1048576', command.quotaLimitArgv('gv0', 1048576)],
    [
      'volume set gv0 network.ping-timeout 5 auth.allow 10.10.*.*,10.1.0.0/16',
      command.volumeSetArgv('gv0', { 'network.ping-timeout': '5', 'auth.allow': '10.10.*.*,10.1.0.0/16' }),
    ],
    [
      'volume create gv0 transport tcp kube1:/pool/kube1/brick force',
      command.volumeCreateArgv('gv0', { layout: 'single' }, [brick('kube1')]),
    ],
    [
      'volume create gv0 replica 3 transport tcp kube1:/pool/kube1/brick kube2:/pool/kube2/brick kube3:/pool/kube3/brick force',
      command.volumeCreateArgv('gv0', { layout: 'replicated' }, [brick('kube1'), brick('kube2'), brick('kube3')]),
    ],
    [
      'volume create gv0 replica 3 arbiter 1 transport tcp kube2:/pool/kube2/brick kube1:/pool/kube1/brick kube3:/pool/kube3/brick force',
      command.volumeCreateArgv('gv0', { layout: 'arbiter' }, [brick('kube2'), brick('kube1'), brick('kube3', true)]),
    ],
    [
      'volume create gv0 transport tcp kube1:/pool/kube1/brick kube2:/pool/kube2/brick force',
      command.volumeCreateArgv('gv0', { layout: 'distributed', sets: 2 }, [brick('kube1'), brick('kube2')]),
    ],
    [
      'volume create gv0 replica 2 transport tcp kube1:/pool/kube1/brick kube2:/pool/kube2/brick kube2:/pool/kube2/brick kube1:/pool/kube1/brick force',
      command.volumeCreateArgv('gv0', { layout: 'distributed-replicated', sets: 2 }, [
        ...[brick('kube1'), brick('kube2')],
        ...[brick('kube2'), brick('kube1')],
      ]),
    ],
    [
      'volume create gv0 disperse 3 redundancy 1 transport tcp kube1:/pool/kube1/brick kube2:/pool/kube2/brick kube3:/pool/kube3/brick force',
      command.volumeCreateArgv('gv0', { layout: 'dispersed', redundancy: 1 }, [
        ...[brick('kube1'), brick('kube2'), brick('kube3')],
      ]),
    ],
  ])('%s', (words, argv) => {
    expect(argv).toEqual(['--mode=script', '--xml', ...words.split(' ')]);
  });
});

const ATTACKS = ['../x', '-rf', '--xml', 'a b', '', 'x'.repeat(300), 'ä', '$(id)', 'a\nb', 'all;', 'a/b', 'a\u0000'];

describe('what is refused at this edge', () => {
  it('names that only others give to volumes, where a volume or a brick is made', () => {
    for (const name of ['vol_8A7b', 'A']) {
      expect(command.volumeInfoArgv(name)).toContain(name);
      const made = [
        () => command.volumeCreateArgv(name, { layout: 'single' }, [brick('kube1')]),
        () => command.volumeCreateArgv('gv0', { layout: 'single' }, [brick(name)]),
      ];
      for (const call of made) expect(call).toThrow(expect.objectContaining({ kind: 'invalid' }));
    }
  });

  it.each(ATTACKS)('volume and node %j', (name) => {
    const calls = [
      () => command.volumeInfoArgv(name),
      () => command.volumeStatusArgv(name),
      () => command.volumeSetArgv(name, {}),
      () => command.volumeDeleteArgv(name),
      () => command.healArgv(name),
      () => command.quotaEnableArgv(name),
      () => command.peerProbeArgv(name),
      () => command.volumeCreateArgv(name, { layout: 'single' }, [brick('kube1')]),
      () => command.volumeCreateArgv('gv0', { layout: 'single' }, [brick(name)]),
    ];
    for (const call of calls) expect(call).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it.each(['relative', '/a/../b', '/a//b', '/a/\n', '/', '/a/.', `/${'x'.repeat(2000)}`])('brick path %j', (path) => {
    const bricks = [{ node: 'kube1', path, isArbiter: false }];
    expect(() => command.volumeCreateArgv('gv0', { layout: 'single' }, bricks)).toThrow(/plain absolute path/);
  });

  it.each([
    ['--xml', '5'],
    ['network', '5'],
    ['network.ping-timeout', '-5'],
    ['network.ping-timeout', '--mode=interactive'],
    ['auth.allow', '10.0.0.1 10.0.0.2'],
    ['auth.allow', ''],
    ['auth.allow', '*\n'],
    ['a.b\n', 'x'],
  ])('option %j %j', (key, value) => {
    expect(() => command.volumeSetArgv('gv0', { [key]: value })).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('limit %d', (limit) => {
    expect(() => command.quotaLimitArgv('gv0', limit)).toThrow(expect.objectContaining({ kind: 'range' }));
  });

  it('several sets that are not alike', () => {
    const create =
      (...names: readonly string[]) =>
      () =>
        command.volumeCreateArgv(
          'gv0',
          { layout: 'distributed-replicated', sets: 2 },
          names.map((name) => brick(name)),
        );
    expect(create('kube1', 'kube2', 'kube3')).toThrow('2 sets of equally many copies');
    expect(create('kube1', 'kube1', 'kube2', 'kube3')).toThrow('each copy of a set on a node of its own');
    expect(create('kube1', 'kube2')).toThrow('sets of two or more data copies');
  });

  it.each<[string, Parameters<typeof command.volumeCreateArgv>[1]['layout'], DesiredBrick[]]>([
    ['no copy', 'single', []],
    ['two copies for single', 'single', [brick('kube1'), brick('kube2')]],
    ['an arbiter alone', 'single', [brick('kube1', true)]],
    ['one copy for replicated', 'replicated', [brick('kube1')]],
    ['an arbiter in replicated', 'replicated', [brick('kube1'), brick('kube2', true)]],
    ['two copies on a node', 'replicated', [brick('kube1'), { ...brick('kube1'), path: '/pool/other/brick' }]],
    ['no arbiter in arbiter', 'arbiter', [brick('kube1'), brick('kube2'), brick('kube3')]],
    ['no copies to lose', 'dispersed', [brick('kube1'), brick('kube2'), brick('kube3')]],
    ['the arbiter first', 'arbiter', [brick('kube1', true), brick('kube2'), brick('kube3')]],
  ])('a layout with %s', (_name, layout, bricks) => {
    expect(() => command.volumeCreateArgv('gv0', { layout }, bricks)).toThrow(
      expect.objectContaining({ kind: 'invalid', reason: 'LayoutMismatch' }),
    );
  });
});
