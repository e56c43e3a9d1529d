import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatQuantity, parseQuantity } from '../bytes.ts';
import { decideSizes, type SizedCopy } from './decide-sizes.ts';

const MIB = 1024 ** 2;
const size = fc.integer({ min: 1, max: 9 }).map((count) => count * 128 * MIB);

const arbitrarySeen = fc
  .record({
    wanted: size,
    granted: fc.option(size, { nil: undefined }),
    held: fc.option(size, { nil: undefined }),
    copies: fc.array(fc.record({ sizeBytes: size, seenBytes: fc.option(size, { nil: undefined }) }), { maxLength: 4 }),
    faults: fc.constantFrom<readonly string[]>([], ['kube1: full']),
    isTold: fc.boolean(),
  })
  .map(({ wanted, granted, held, copies, faults, isTold }) => ({
    wanted: formatQuantity(wanted),
    ...(granted === undefined ? {} : { granted: formatQuantity(granted) }),
    ...(held === undefined ? {} : { size: formatQuantity(held) }),
    copies: copies.map(({ sizeBytes, seenBytes }, at): SizedCopy => {
      const seen = seenBytes === undefined ? {} : { seenBytes };
      return { name: `c${at}`, node: `n${at}`, isReachable: true, sizeBytes, ...seen };
    }),
    bytesOf: (_copy: SizedCopy, of: string) => parseQuantity(of),
    findFaults: () => faults,
    isTold,
  }));

test('no grant and no copy ever becomes smaller, and none is asked for more than is granted', () => {
  fc.assert(
    fc.property(arbitrarySeen, (seen) => {
      const { status, growCopies } = decideSizes(seen);
      if (status.grantedSize !== undefined && seen.granted !== undefined) {
        expect(parseQuantity(status.grantedSize)).toBeGreaterThan(parseQuantity(seen.granted));
      }
      for (const { name, sizeBytes } of growCopies) {
        expect(sizeBytes).toBeGreaterThan(seen.copies.find((copy) => copy.name === name)?.sizeBytes ?? 0);
        expect(sizeBytes).toBe(parseQuantity(seen.granted ?? '0'));
      }
    }),
  );
});

test('nothing is granted where a copy has no room, and a size is said to hold only when every copy was seen to have it', () => {
  fc.assert(
    fc.property(arbitrarySeen, (seen) => {
      const { status } = decideSizes(seen);
      if (seen.findFaults().length > 0) expect(status.grantedSize).toBeUndefined();
      if (status.size === undefined) return;
      for (const { seenBytes = 0 } of seen.copies) expect(seenBytes).toBeGreaterThanOrEqual(parseQuantity(status.size));
    }),
  );
});
