import { describe, expect, it } from 'vitest';
import { parseEngineVolumeName } from '../names.ts';
import { decideExports, type SeenExport } from './decide-exports.ts';

const VOLUME: NonNullable<SeenExport<StoredRecord>['volume']> = {
  engine: 'gluster',
  engineName: parseEngineVolumeName('gv0'),
  copies: 3,
  isStarted: true,
  isHolding: false,
};
type StoredRecord = ReturnType<typeof recordOf>;

function recordOf(volume = 'gv0', id = 7) {
  const exported = { id, clients: ['10.10.0.0/16'], squash: 'none' as const, mayGoBeyond: false };
  const spec = { volume, node: 'kube1', mountPath: `/${volume}`, isReadOnly: false, export: exported };
  return { metadata: { name: `${volume}.nfs.kube1` }, spec };
}
const seen = (more: Partial<SeenExport<StoredRecord>> = {}): SeenExport<StoredRecord> => ({
  ...{ record: recordOf(), isEnding: false, isHeldBack: false, volume: VOLUME },
  ...more,
});

describe('decideExports', () => {
  it('serves a volume that is started', () => {
    const wanted = {
      id: 7,
      volume: 'gv0',
      copies: 3,
      path: '/gv0',
      clients: ['10.10.0.0/16'],
      isReadOnly: false,
      squash: 'none',
    };
    expect(decideExports([seen()])).toEqual([{ record: recordOf(), action: 'serve', wanted }]);
  });

  it.each([
    [{ isHeldBack: true }, 'HeldBack'],
    [{ volume: { ...VOLUME, isHolding: true } }, 'Waiting'],
    [{ volume: { ...VOLUME, isStarted: false } }, 'Waiting'],
    [{ volume: { ...VOLUME, engine: 'local' as const } }, 'Failed'],
  ])('does not serve %j', (more, state) => {
    expect(decideExports([seen(more)])).toMatchObject([{ action: 'wait', state }]);
    // What is to go goes all the same.
    expect(decideExports([seen({ ...more, isEnding: true })])).toMatchObject([{ action: 'end' }]);
  });

  it('leaves out whom the list of the volume does not name any more, unless that was said', () => {
    const { spec, metadata } = recordOf();
    const clients = ['10.10.0.0/16', '10.20.1.1'];
    const both = (mayGoBeyond: boolean, allowed?: readonly string[]) => {
      const record = { metadata, spec: { ...spec, export: { ...spec.export, clients, mayGoBeyond } } };
      return decideExports([seen({ record, volume: { ...VOLUME, ...(allowed && { allowed }) } })])[0];
    };
    expect(both(false)).toMatchObject({ wanted: { clients } });
    expect(both(true, ['10.20.*.*'])).toMatchObject({ wanted: { clients } });
    const message = expect.stringContaining('not served to 10.10.0.0/16');
    expect(both(false, ['10.20.*.*'])).toMatchObject({ wanted: { clients: ['10.20.1.1'] }, message });
    expect(both(false, ['10.30.1.1'])).toMatchObject({ action: 'wait', state: 'Failed' });
  });

  it('serves one of two with the same number or path, whatever their order', () => {
    const twins = [seen({ record: recordOf('gv1') }), seen()];
    for (const both of [twins, twins.toReversed()]) {
      const actions = decideExports(both).map(({ record, action }) => [record.spec.volume, action]);
      expect(actions).toEqual([
        ['gv0', 'serve'],
        ['gv1', 'wait'],
      ]);
    }
    const samePath = { ...recordOf('gv1', 8), spec: { ...recordOf('gv1', 8).spec, mountPath: '/gv0' } };
    expect(decideExports([seen(), seen({ record: samePath })])[1]).toMatchObject({ action: 'wait', state: 'Failed' });
  });
});
