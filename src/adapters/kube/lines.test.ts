import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from './lines.ts';

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const end = Math.min(cut, bytes.length);
    if (end > at) yield bytes.subarray(at, end);
    at = Math.max(at, end);
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('linesOf', () => {
  it('gives the same lines however the bytes are cut', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', '"', '{', 'é', '€', '😀'), minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
          expect(await collect(linesOf(inPieces(bytes, cuts), 10_000))).toEqual(lines);
        },
      ),
    );
  });

  it('leaves out a last line that was cut off, and empty ones', async () => {
    expect(await collect(linesOf(inPieces(Buffer.from('a\n\n \nb\nhalf'), [3]), 100))).toEqual(['a', 'b']);
  });

  it('refuses a line without an end before it fills the memory', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (; sent < 100; sent += 1) yield Buffer.alloc(1_000, 'x');
    }
    await expect(collect(linesOf(endless(), 5_000))).rejects.toMatchObject({ kind: 'internal' });
    expect(sent).toBeLessThan(10);
  });
});
