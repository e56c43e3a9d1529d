import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../errors.ts';
import { expandSubDir, OWN_FOLDER, subDirFault } from './sub-dir.ts';

const nasty = fc.constantFrom('..', '.', '', '/', '\\', '\0', '\n', '%2e%2e', '~', '-rf', OWN_FOLDER, '${', '}', ' ');
const names = ['${pvc.metadata.name}', '${pvc.metadata.namespace}', '${pv.metadata.name}', '${x}'];
const piece = fc.oneof(
  nasty,
  fc.constantFrom(...names),
  fc.string({ maxLength: 6 }),
  fc.stringMatching(/^[a-z0-9.-]{1,8}$/),
);
const template = fc
  .array(piece, { maxLength: 6 })
  .chain((pieces) => fc.constantFrom(pieces.join('/'), pieces.join('')));

/** What is let through names a folder below the share, and none of Holdfast's own. */
function expectInside(subDir: string): void {
  const path = posix.resolve('/share', subDir);
  expect(path).toBe(`/share/${subDir}`);
  expect(subDir.split('/')).not.toContain(OWN_FOLDER);
  expect(subDir).toMatch(/^[A-Za-z0-9._/-]+$/);
}

describe('a folder of a share', () => {
  test('is below it, whatever is written', () => {
    fc.assert(
      fc.property(template, (text) => {
        if (subDirFault(text) === undefined) expectInside(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('is below it, whatever names are put into whatever is written', () => {
    fc.assert(
      fc.property(template, template, template, template, (text, name, namespace, volume) => {
        const claim = {
          '${pvc.metadata.name}': name,
          '${pvc.metadata.namespace}': namespace,
          '${pv.metadata.name}': volume,
        };
        try {
          expectInside(expandSubDir(text, claim));
        } catch (error) {
          if (!isAppError(error, 'invalid')) throw error;
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
