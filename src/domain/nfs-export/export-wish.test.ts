import { describe, expect, it } from 'vitest';
import { chooseClients, lossesOf } from './export-wish.ts';

const ASKED = { allowFrom: [], nodeAddresses: ['10.91.1.1'], isListUnknown: false, mayGoBeyond: false };

describe('chooseClients', () => {
  it('exports to whom the volume is allowed where nobody is named', () => {
    expect(chooseClients({ ...ASKED, allowFrom: ['10.10.*.*'] })).toEqual({ ok: true, clients: ['10.10.0.0/16'] });
  });

  it('never exports to everybody because nobody was named', () => {
    expect(chooseClients(ASKED)).toMatchObject({ ok: false, fault: 'nobody' });
    expect(chooseClients({ ...ASKED, to: [] })).toMatchObject({ ok: false });
  });

  it('goes beyond the list of the volume only when that is said', () => {
    const wider = { ...ASKED, allowFrom: ['10.10.1.0/24'], to: ['10.10.1.7', '10.10.0.0/16'] };
    expect(chooseClients(wider)).toMatchObject({ ok: false, message: expect.stringContaining('10.10.0.0/16 may not') });
    expect(chooseClients({ ...wider, mayGoBeyond: true })).toEqual({ ok: true, clients: wider.to.toSorted() });
    expect(chooseClients({ ...wider, to: ['10.91.1.1'] })).toMatchObject({ ok: true });
  });

  it('refuses what cannot be read, also in the list of the volume', () => {
    for (const to of [['fe80::1'], ['*'], ['"; }']])
      expect(chooseClients({ ...ASKED, to })).toMatchObject({ ok: false });
    expect(chooseClients({ ...ASKED, allowFrom: ['10.*.1.*'] })).toMatchObject({ ok: false });
  });

  it('exports an adopted volume, whose list nobody knows here, only when that is said', () => {
    const adopted = { ...ASKED, to: ['10.10.1.7'], isListUnknown: true };
    expect(chooseClients(adopted)).toMatchObject({ ok: false, message: expect.stringContaining('adopted') });
    expect(chooseClients({ ...adopted, mayGoBeyond: true })).toEqual({ ok: true, clients: adopted.to });
  });

  it('names each client once, in order', () => {
    const to = ['10.10.2.*', '10.10.1.1', '10.10.2.0/24'];
    expect(chooseClients({ ...ASKED, to })).toEqual({ ok: true, clients: ['10.10.1.1', '10.10.2.0/24'] });
  });
});

describe('lossesOf', () => {
  const terms = { clients: ['10.10.0.0/16'], squash: 'none', mayGoBeyond: false, isReadOnly: false } as const;

  it('is nothing where clients only gain', () => {
    expect(lossesOf(terms, terms)).toEqual([]);
    expect(lossesOf({ ...terms, squash: 'root', isReadOnly: true }, { ...terms, clients: ['10.0.0.0/8'] })).toEqual([]);
  });

  it('names each that is lost', () => {
    const after = { clients: ['10.10.1.0/24'], squash: 'root', mayGoBeyond: true, isReadOnly: true } as const;
    expect(lossesOf(terms, after)).toHaveLength(3);
  });
});
