/** Whatever is asked for: a client is among those allowed exactly if each of its addresses is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientFault, clientsBeyond } from './clients.ts';

/** Networks of few addresses close to each other, so that they meet. */
const network = fc.tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 27, max: 32 })).map(([at, bits]) => {
  const size = 2 ** (32 - bits);
  const last = Math.floor(at / size) * size;
  return { text: bits === 32 ? `10.0.0.${last}` : `10.0.0.${last}/${bits}`, first: last, size };
});
const addressesOf = ({ first, size }: { readonly first: number; readonly size: number }) =>
  Array.from({ length: size }, (_, at) => first + at);

describe('clientsBeyond', () => {
  it('is what addresses counted one by one say', () => {
    fc.assert(
      fc.property(network, fc.array(network, { maxLength: 6 }), (client, allowed) => {
        const may = new Set(allowed.flatMap(addressesOf));
        const isWithin = addressesOf(client).every((address) => may.has(address));
        const texts = allowed.map(({ text }) => text);
        expect(clientsBeyond([client.text], texts)).toEqual(isWithin ? [] : [client.text]);
      }),
    );
  });
});

describe('clientFault', () => {
  it('takes nothing but digits, dots and one slash', () => {
    const almost = fc.string({
      unit: fc.constantFrom('0', '1', '2', '9', '.', '/', ',', ';', '"', '*', '{', '}', '\n', ' ', '#'),
      maxLength: 24,
    });
    fc.assert(
      fc.property(fc.oneof(almost, fc.string()), (text) => {
        if (clientFault(text) === undefined) expect(text).toMatch(/^[\d.]+(?:\/\d{1,2})?$/);
      }),
    );
  });
});
