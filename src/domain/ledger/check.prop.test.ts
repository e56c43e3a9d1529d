/** Whatever happens to a file of records, the checker calls it by its name. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AcknowledgedRecord, createLedgerCheck, type LedgerVerdict } from './check.ts';
import { FIRST_PREVIOUS, formatRecord, type LedgerRecord, makeRecord } from './record.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const runs = { numRuns: 150 };

interface Chain {
  readonly records: readonly LedgerRecord[];
  readonly lines: readonly string[];
}

function makeChain(count: number, payloadBytes: number, startTime = 1_000): Chain {
  const records: LedgerRecord[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const previous = records.at(-1)?.hash ?? FIRST_PREVIOUS;
    records.push(makeRecord({ seq, writer: 'w1', time: startTime + seq, previous, payloadBytes }, sha256));
  }
  return { records, lines: records.map(formatRecord) };
}

const toBytes = (lines: readonly string[]): Uint8Array => Buffer.from(lines.join(''), 'latin1');
const checkBytes = (records: readonly AcknowledgedRecord[], file: Uint8Array): LedgerVerdict => {
  const reader = createLedgerCheck(records, sha256);
  reader.read(file);
  return reader.finish();
};
const check = (records: readonly AcknowledgedRecord[], lines: readonly string[]): LedgerVerdict =>
  checkBytes(records, toBytes(lines));

/** A chain of at least two records and the index of one of them. */
const chainAndIndex = fc
  .tuple(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 40 }))
  .chain(([count, payload]) => fc.tuple(fc.constant(makeChain(count, payload)), fc.nat({ max: count - 1 })));

const NONE = { count: 0 };
const SOUND = { isIntact: true, lost: NONE, torn: NONE, reordered: NONE, duplicated: NONE, altered: NONE };
/** Nothing wrong but what is named. */
const only = (faults: Partial<LedgerVerdict>): Partial<LedgerVerdict> => ({ ...SOUND, isIntact: false, ...faults });

describe('an unharmed file', () => {
  test('is intact, in whatever pieces it is read', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.integer({ min: 1, max: 100 }), ([{ records, lines }], pieceBytes) => {
        const file = toBytes(lines);
        const reader = createLedgerCheck(records, sha256);
        for (let at = 0; at < file.length; at += pieceBytes) reader.read(file.subarray(at, at + pieceBytes));
        const verdict = reader.finish();
        expect(verdict).toMatchObject({ ...SOUND, acknowledged: records.length, found: records.length });
        expect(verdict).toMatchObject({ unacknowledged: NONE, hasUnacknowledgedTail: false });
      }),
      runs,
    );
  });

  test('may end with whole records that nobody acknowledged', () => {
    fc.assert(
      fc.property(chainAndIndex, ([{ records, lines }, index]) => {
        const unacknowledged = { count: records.length - index, firstSeq: index + 1 };
        expect(check(records.slice(0, index), lines)).toMatchObject({ ...SOUND, unacknowledged });
      }),
      runs,
    );
  });

  test('may end with any piece of, or nonsense instead of, the one record that was under way', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), fc.boolean(), ([{ records, lines }, index], cut, isZeroed) => {
        const line = lines[index] ?? '';
        const kept = 1 + (cut % (line.length - 1));
        const piece = isZeroed ? `${'\0'.repeat(kept)}${line.slice(kept)}` : line.slice(0, kept);
        const verdict = check(records.slice(0, index), [...lines.slice(0, index), piece]);
        expect(verdict).toMatchObject({ ...SOUND, hasUnacknowledgedTail: true });
      }),
      runs,
    );
  });
});

describe('a harmed file', () => {
  test('a record taken out is lost', () => {
    fc.assert(
      fc.property(chainAndIndex, ([{ records, lines }, index]) => {
        const rest = lines.toSpliced(index, 1);
        expect(check(records, rest)).toMatchObject(only({ lost: { count: 1, firstSeq: index + 1 } }));
      }),
      runs,
    );
  });

  test('records cut off at the end are lost, and the one cut through is torn too', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), ([{ records, lines }, index], cut) => {
        const line = lines[index] ?? '';
        const kept = cut % line.length;
        const verdict = check(records, [...lines.slice(0, index), line.slice(0, kept)]);
        const lost = { count: records.length - index, firstSeq: index + 1 };
        expect(verdict).toMatchObject(only({ lost, torn: kept === 0 ? NONE : { count: 1, firstSeq: index + 1 } }));
      }),
      runs,
    );
  });

  test('a byte changed anywhere tears its record, and a newline changed tears two', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), fc.integer({ min: 1, max: 255 }), ([{ records, lines }], at, flip) => {
        const file = Buffer.from(toBytes(lines));
        const offset = at % file.length;
        const before = file[offset] ?? 0;
        file[offset] = before ^ flip;
        const hurt = lines.findIndex((_, index) => lines.slice(0, index + 1).join('').length > offset);
        const isJoined = before === 0x0a && hurt < lines.length - 1;
        const isSplit = file[offset] === 0x0a;
        const verdict = checkBytes(records, file);
        expect(verdict).toMatchObject({ isIntact: false, lost: { count: isJoined ? 2 : 1, firstSeq: hurt + 1 } });
        // A newline put where another byte was makes two torn lines, or one if it is the line's first or second last byte.
        expect(verdict.torn.count).toBeGreaterThanOrEqual(1);
        expect(verdict.torn.count).toBeLessThanOrEqual(isSplit ? 2 : 1);
        expect(verdict).toMatchObject({ reordered: NONE, duplicated: NONE, altered: NONE });
      }),
      runs,
    );
  });

  test('a zeroed block tears the records in it', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), fc.nat(), ([{ records, lines }], from, size) => {
        const file = Buffer.from(toBytes(lines));
        const start = from % file.length;
        file.fill(0, start, Math.min(file.length, start + 1 + (size % 600)));
        const verdict = checkBytes(records, file);
        expect(verdict.isIntact).toBe(false);
        expect(verdict.torn.count).toBe(1);
        expect(verdict.lost.count).toBeGreaterThanOrEqual(1);
        expect(verdict).toMatchObject({ reordered: NONE, duplicated: NONE, altered: NONE });
      }),
      runs,
    );
  });

  test('two records that changed places are reordered', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), ([{ records, lines }, first], offset) => {
        const second = (first + 1 + (offset % (lines.length - 1))) % lines.length;
        const swapped = lines.with(first, lines[second] ?? '').with(second, lines[first] ?? '');
        const low = Math.min(first, second);
        const count = Math.abs(first - second);
        // Everything between the two stands behind a higher seq, and so does the lower of the two.
        const firstSeq = count === 1 ? low + 1 : low + 2;
        expect(check(records, swapped)).toMatchObject(only({ reordered: { count, firstSeq } }));
      }),
      runs,
    );
  });

  test('a record that is there again is duplicated', () => {
    fc.assert(
      fc.property(chainAndIndex, fc.nat(), ([{ records, lines }, index], at) => {
        const place = index + 1 + (at % (lines.length - index));
        const verdict = check(records, lines.toSpliced(place, 0, lines[index] ?? ''));
        expect(verdict).toMatchObject(only({ duplicated: { count: 1, firstSeq: index + 1 } }));
      }),
      runs,
    );
  });

  test('nonsense between records is torn, and nothing is lost by it', () => {
    const nonsense = fc.string({ minLength: 1, maxLength: 300 }).map((text) => `${text.replaceAll('\n', ' ')}\n`);
    fc.assert(
      fc.property(chainAndIndex, nonsense, ([{ records, lines }, index], text) => {
        const verdict = check(records, lines.toSpliced(index, 0, text));
        expect(verdict).toMatchObject(only({ torn: { count: 1, firstSeq: index + 1 } }));
      }),
      runs,
    );
  });

  test('another history from some record on is altered, and what it took the place of is lost', () => {
    fc.assert(
      fc.property(chainAndIndex, ([{ records, lines }, index]) => {
        const other = makeChain(records.length, 20, 500_000);
        const verdict = check(records, [...lines.slice(0, index), ...other.lines.slice(index)]);
        const finding = { count: records.length - index, firstSeq: index + 1 };
        expect(verdict).toMatchObject(only({ altered: finding, lost: finding }));
      }),
      runs,
    );
  });

  test('an empty file has lost everything, and with nothing acknowledged it is intact', () => {
    const { records } = makeChain(3, 5);
    expect(check(records, [])).toMatchObject(only({ lost: { count: 3, firstSeq: 1 } }));
    expect(check([], [])).toMatchObject({ ...SOUND, acknowledged: 0, found: 0 });
  });
});
