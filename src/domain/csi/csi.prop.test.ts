/** Whatever is sent, the answer is a name, size or path of ours, or a refusal that says so. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MIB } from '../bytes.ts';
import { isAppError } from '../errors.ts';
import { labelFault } from '../names.ts';
import { accessFault, podMountOptions } from './access.ts';
import { chooseSize, isInRange } from './capacity.ts';
import { nameForCsi, parseCsiId } from './names.ts';
import { pageOf } from './paging.ts';
import { PARAMETERS } from './parameter-table.ts';
import { readParameters } from './parameters.ts';
import { parseTargetPath } from './target-path.ts';

/** Differs for different texts, which is all that is asked of it here. */
const hash = (text: string): string =>
  Array.from({ length: 40 }, (_, index) => {
    let sum = index + 1;
    for (const letter of text) sum = (Math.imul(sum, 33) + letter.charCodeAt(0)) >>> 0;
    return (sum % 16).toString(16);
  }).join('');

/** Undefined for a refusal; anything else that is thrown is a mistake. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isAppError(error) && error.kind !== 'internal') return undefined;
    throw error;
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom('a', '-', '.', '/', '\\', '%', '#', ' ', '\n', '\0', '\u202e', 'é', '0'),
    maxLength: 140,
  }),
  fc.constantFrom('..', '../../etc', '$' + '{pvc.metadata.name}', '--help', 'a,b', '\ufffd'),
);

test('a name becomes a label that a clone of it can be named after, and no two become the same', () => {
  fc.assert(
    fc.property(text, text, (one, two) => {
      const [first, second] = [one, two].map((name) => attempt(() => nameForCsi('volume', name, hash)));
      for (const name of [first, second]) {
        if (name === undefined) continue;
        expect(labelFault(name)).toBeUndefined();
        expect(`clone-for-${name}`.length).toBeLessThanOrEqual(63);
      }
      if (first !== undefined && first === second && !first.startsWith('csi-')) expect(one).toBe(two);
    }),
  );
});

test('an id is a label', () => {
  fc.assert(
    fc.property(text, (id) => {
      const read = attempt(() => parseCsiId('volume_id', id));
      if (read !== undefined) expect([read, labelFault(read)]).toEqual([id, undefined]);
    }),
  );
});

test('a size is in its range, and whole', () => {
  const bytes = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: 0n, max: BigInt(4_000 * MIB) }),
  );
  fc.assert(
    fc.property(bytes, bytes, fc.nat(2_000 * MIB), (requiredBytes, limitBytes, atLeast) => {
      const range = { requiredBytes, limitBytes };
      const size = attempt(() => chooseSize(range, atLeast));
      if (size === undefined) return;
      expect(isInRange(size, range)).toBe(true);
      expect(size).toBeGreaterThanOrEqual(atLeast);
      expect(Number.isSafeInteger(size)).toBe(true);
    }),
  );
});

test('a path stays below its root, and each of its parts with it', () => {
  const root = '/var/lib/kubelet';
  fc.assert(
    fc.property(text, fc.boolean(), (tail, isBelow) => {
      const read = attempt(() => parseTargetPath('target_path', isBelow ? `${root}/${tail}` : tail, root));
      if (read === undefined) return;
      expect(read.parts.at(-1)).toBe(read.path);
      for (const part of read.parts) {
        expect(part.startsWith(`${root}/`)).toBe(true);
        expect(part.split('/')).not.toContain('..');
      }
    }),
  );
});

test('no mount option but those of the list gets into a mount, and no device or set-uid file has any power', () => {
  const known = fc.constantFrom('ro', 'rw', 'noatime', 'suid', 'dev', 'nosuid', 'noexec,suid', 'context=x');
  fc.assert(
    fc.property(fc.array(fc.oneof(known, text), { maxLength: 6 }), fc.boolean(), (flags, isReadOnly) => {
      const asked = { type: 'mount', mode: 'MultiNodeMultiWriter', fsType: '', flags } as const;
      if (accessFault(asked) !== undefined) return;
      const options = podMountOptions(flags, isReadOnly);
      expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
      expect(options.join(',')).toMatch(/^(?:ro|rw),nosuid,nodev(?:,(?:no)?exec|,noatime|,nodiratime|,relatime)*$/);
      if (isReadOnly) expect(options[0]).toBe('ro');
    }),
  );
});

test('parameters make a wish of known fields, and no value of theirs is repeated in a refusal', () => {
  const key = fc.oneof(fc.constantFrom(...Object.keys(PARAMETERS)), text);
  const secret = 'zqzq-secret-zqzq';
  fc.assert(
    fc.property(
      fc.dictionary(key, fc.oneof(text, fc.constant(secret), fc.constantFrom('3', 'true', 'none'))),
      (all) => {
        const failed: unknown[] = [];
        attempt(() => {
          try {
            return readParameters(all);
          } catch (error) {
            failed.push(error);
            throw error;
          }
        });
        for (const error of failed) {
          if (isAppError(error))
            expect(JSON.stringify([error.message, error.hint, error.faults])).not.toContain(secret);
        }
      },
    ),
  );
});

test('pages put together are the list, in order, whatever their size', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 30 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 10 }), (all, maxEntries) => {
      const seen: string[] = [];
      let startingToken = '';
      do {
        const page = pageOf(all, (name) => name, { maxEntries, startingToken });
        expect(page.items.length).toBeLessThanOrEqual(maxEntries);
        seen.push(...page.items);
        startingToken = page.nextToken;
      } while (startingToken !== '');
      expect(seen).toEqual(all.toSorted());
    }),
  );
});
