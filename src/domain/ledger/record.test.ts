import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FIRST_PREVIOUS, formatRecord, MAX_LINE_BYTES, MAX_PAYLOAD_BYTES, makeRecord, parseRecord } from './record.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('the format is fixed: this line was written by the first version', () => {
  const record = makeRecord({ seq: 1, writer: 'w1', time: 0, previous: FIRST_PREVIOUS, payloadBytes: 8 }, sha256);
  expect(formatRecord(record)).toBe(
    `hf1 1 w1 0 ${'0'.repeat(64)} ${record.payload} ${sha256(`hf1 1 w1 0 ${'0'.repeat(64)} ${record.payload}`)}\n`,
  );
  expect(record.payload).toBe('qa6GmUrD');
});

test('a record reads back as it was made', () => {
  const inputs = fc.record({
    seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    writer: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
    time: fc.integer({ min: 0, max: 9e15 }),
    previous: fc.string().map(sha256),
    payloadBytes: fc.integer({ min: 1, max: 300 }),
  });
  fc.assert(
    fc.property(inputs, (input) => {
      const record = makeRecord(input, sha256);
      expect(record.payload).toHaveLength(input.payloadBytes);
      expect(parseRecord(formatRecord(record).slice(0, -1), sha256)).toEqual(record);
    }),
  );
});

test('a line with the right hash but another payload than the writer makes is no record', () => {
  const text = `hf1 1 w1 0 ${FIRST_PREVIOUS} AAAAAAAA`;
  expect(parseRecord(`${text} ${sha256(text)}`, sha256)).toBeUndefined();
});

test('the longest record fits the longest line', () => {
  const record = makeRecord(
    {
      seq: Number.MAX_SAFE_INTEGER,
      writer: 'w'.repeat(63),
      time: Number.MAX_SAFE_INTEGER,
      previous: FIRST_PREVIOUS,
      payloadBytes: MAX_PAYLOAD_BYTES,
    },
    sha256,
  );
  expect(formatRecord(record).length).toBeLessThanOrEqual(MAX_LINE_BYTES);
});
