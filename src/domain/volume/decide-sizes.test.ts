import { describe, expect, test } from 'vitest';
import { parseQuantity } from '../bytes.ts';
import { decideSizes, type SeenSizes, type SizedCopy } from './decide-sizes.ts';

const GIB = 1024 ** 3;

function copies(asked: readonly number[], seen: readonly (number | undefined)[]): readonly SizedCopy[] {
  return asked.map((size, at) => {
    const seenBytes = seen[at];
    return {
      ...{ name: `gv0-${at}`, node: `kube${at + 1}`, sizeBytes: size * GIB, isReachable: true },
      ...(seenBytes === undefined ? {} : { seenBytes: seenBytes * GIB }),
    };
  });
}

const WHOLE: SeenSizes = {
  ...{ wanted: '1Gi', granted: '1Gi', size: '1Gi', copies: copies([1, 1, 1], [1, 1, 1]) },
  bytesOf: (_copy, size) => parseQuantity(size),
  findFaults: () => [],
  isTold: false,
};

describe('a volume whose size is as asked for', () => {
  test('is left alone, and nothing is told of it', () => {
    expect(decideSizes(WHOLE)).toEqual({ status: { size: '1Gi' }, claims: [], growCopies: [], isRefused: false });
  });

  test('gets its first size when every copy was seen to have it', () => {
    const { size: _, ...making } = { ...WHOLE, copies: copies([1, 1, 1], [1, undefined, 1]) };
    expect(decideSizes(making)).toMatchObject({ status: {}, claims: [] });
    expect(decideSizes({ ...making, copies: WHOLE.copies }).status).toEqual({ size: '1Gi' });
  });
});

describe('a growth', () => {
  test('is granted first, and no copy is asked before that is stored', () => {
    expect(decideSizes({ ...WHOLE, wanted: '2Gi' })).toMatchObject({
      status: { grantedSize: '2Gi' },
      growCopies: [],
      claims: [{ type: 'Sized', status: 'False', reason: 'Growing' }],
    });
  });

  test('without room for all is refused with the numbers, and no copy grows', () => {
    const decision = decideSizes({ ...WHOLE, wanted: '2Gi', findFaults: () => ['kube3: 4 GiB free < 10 GiB'] });
    expect(decision).toMatchObject({ growCopies: [], isRefused: true, claims: [{ reason: 'NoRoomToGrow' }] });
    expect(decision.status.grantedSize).toBeUndefined();
    expect(decision.claims[0]?.message).toContain('kube3: 4 GiB free < 10 GiB');
  });

  test('that was granted goes on although a larger one is refused', () => {
    const seen = { ...WHOLE, granted: '2Gi', wanted: '9Gi', findFaults: () => ['kube1: full'] };
    expect(decideSizes(seen)).toMatchObject({ isRefused: true, growCopies: [{}, {}, {}] });
  });

  test('asks the copies that have not been asked, and says which have it', () => {
    const seen = { ...WHOLE, wanted: '2Gi', granted: '2Gi', copies: copies([2, 2, 1], [2, 1, 1]) };
    const { growCopies, claims, status } = decideSizes(seen);
    expect(growCopies).toEqual([{ name: 'gv0-2', sizeBytes: 2 * GIB }]);
    expect(claims[0]?.message).toBe('1 of 3 copies have 2 GiB (kube1); kube2: grows; kube3: grows');
    expect(status.size).toBeUndefined();
  });

  test('holds when every copy was seen to have it', () => {
    const seen = { ...WHOLE, wanted: '2Gi', granted: '2Gi', copies: copies([2, 2, 2], [2, 2, 2]), isTold: true };
    expect(decideSizes(seen)).toMatchObject({ status: { size: '2Gi' }, claims: [{ type: 'Sized', status: 'True' }] });
  });

  test('of plain folders holds when the engine enforces the new limit', () => {
    const seen = { ...WHOLE, wanted: '2Gi', granted: '2Gi', copies: copies([2], [2]), limitBytes: GIB };
    expect(decideSizes(seen).status).toEqual({});
    expect(decideSizes({ ...seen, limitBytes: 2 * GIB }).status).toEqual({ size: '2Gi' });
  });

  test('waits for a node that is away, by name', () => {
    const [first, second] = copies([2, 2], [2, 1]);
    if (first === undefined || second === undefined) throw new Error('two were made');
    const seen = { ...WHOLE, wanted: '2Gi', granted: '2Gi', copies: [first, { ...second, isReachable: false }] };
    expect(decideSizes(seen).claims[0]?.message).toContain('kube2: node not reachable');
  });
});
