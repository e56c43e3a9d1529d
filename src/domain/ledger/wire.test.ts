import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatEntry, parseEntry } from './entry.ts';
import { formatMessage, parseLedgerMessage, parseWriterMessage } from './wire.ts';

const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const writer = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);

test('messages of a writer read back as they were written', () => {
  const message = fc.oneof(
    fc.record({ type: fc.constant('hello' as const), writer }),
    fc.record({ type: fc.constant('stored' as const), seq, previous: hash, hash }),
  );
  fc.assert(
    fc.property(message, (each) => {
      expect(parseWriterMessage(formatMessage(each))).toEqual(each);
    }),
  );
});

test('messages of the ledger read back as they were written', () => {
  const message = fc.oneof(
    fc.record({ type: fc.constant('welcome' as const), seq: fc.nat(), hash }),
    fc.record({ type: fc.constant('kept' as const), seq }),
    fc.record({ type: fc.constant('refused' as const), reason: fc.stringMatching(/^[a-z]+( [a-z]+)*$/) }),
  );
  fc.assert(
    fc.property(message, (each) => {
      expect(parseLedgerMessage(formatMessage(each))).toEqual(each);
    }),
  );
});

test('entries of the ledger read back as they were written', () => {
  const entry = fc.record({ writer, seq, hash, at: fc.nat() });
  fc.assert(
    fc.property(entry, (each) => {
      expect(parseEntry(formatEntry(each).slice(0, -1))).toEqual(each);
    }),
  );
});

test.for(['', 'hello', 'hello hf2 w1', 'hello hf1 ../w', 'stored 1 2 3', 'kept', 'stored 0', 'GET / HTTP/1.1'])(
  '%j is no message',
  (line) => {
    expect(parseWriterMessage(line)).toBeUndefined();
    expect(parseLedgerMessage(line)).toBeUndefined();
    expect(parseEntry(line)).toBeUndefined();
  },
);
