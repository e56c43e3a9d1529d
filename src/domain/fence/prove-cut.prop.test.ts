import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BrickLook, type CutState, proveCut, SETTLE_MS } from './prove-cut.ts';

const OWN = '10.0.0.3';
const look = fc.record({
  passedMs: fc.integer({ min: 1, max: 2 * SETTLE_MS }),
  isAnswering: fc.boolean(),
  clients: fc.subarray([OWN, '10.0.0.1']),
  calls: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
});

it('proves a copy only after looks without the node, and when all is done that was pending at the end of the settling', () => {
  fc.assert(
    fc.property(fc.array(look, { minLength: 1, maxLength: 12 }), (looks) => {
      let state: CutState = { proven: {}, watched: {} };
      let at = 0;
      const seen: (BrickLook & { readonly at: number })[] = [];
      for (const { passedMs, ...rest } of looks) {
        at += passedMs;
        const brick = { copy: 'c0', ...rest };
        const wasProven = state.proven['c0'] !== undefined;
        state = proveCut(state, { addresses: [OWN], bricks: [brick], at, time: String(at) });
        if (brick.isAnswering && brick.clients.includes(OWN)) seen.length = 0;
        else if (brick.isAnswering) seen.push({ ...brick, at });
        const isProven = state.proven['c0'] !== undefined;
        if (brick.isAnswering) expect(isProven && brick.clients.includes(OWN)).toBe(false);
        else expect(isProven).toBe(wasProven);
        if (!isProven || wasProven) continue;
        // Told anew from what was seen: the first look after the settling, and what of it was pending in every later one.
        const settled = seen.filter((each) => each.at - (seen[0]?.at ?? 0) >= SETTLE_MS);
        const stillPending = settled[0]?.calls.filter((call) => settled.every(({ calls }) => calls.includes(call)));
        expect(stillPending).toEqual([]);
      }
    }),
  );
});
