import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseExportId, MAX_EXPORT_ID } from './export-id.ts';

const GV0 = { name: 'gv0', uid: '5e0cbdd5-a34c-4b4b-9e10-3c1bb2a1b6f1' };

describe('chooseExportId', () => {
  it('is the same again for a volume, and the one that another node has', () => {
    const id = chooseExportId(GV0, []);
    expect(chooseExportId(GV0, [{ volume: 'gv1', id: 1 }])).toBe(id);
    expect(chooseExportId(GV0, [{ volume: 'gv0', id: 99 }])).toBe(99);
  });

  it('is a number that no other volume has, as long as there is one', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uniqueArray(fc.integer({ min: 1, max: 40 })), (uid, taken) => {
        const known = taken.map((id) => ({ volume: `other-${id}`, id }));
        const id = chooseExportId({ name: 'gv0', uid }, known) ?? 0;
        expect(taken).not.toContain(id);
        expect(Number.isInteger(id) && id >= 1 && id <= MAX_EXPORT_ID).toBe(true);
      }),
    );
    const all = Array.from({ length: MAX_EXPORT_ID }, (_, at) => ({ volume: 'gv1', id: at + 1 }));
    expect(chooseExportId(GV0, all)).toBeUndefined();
    expect(chooseExportId(GV0, all.toSpliced(41, 1))).toBe(42);
  });
});
