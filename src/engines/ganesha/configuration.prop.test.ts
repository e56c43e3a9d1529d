/** Whatever the names are: the configuration is of these exports and nothing else, or there is none. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../domain/errors.ts';
import { type EngineVolumeName, parseEngineVolumeName } from '../../domain/names.ts';
import type { ServedExport } from '../../domain/nfs-export/served-export.ts';
import { renderConfiguration, SERVER_PATHS, serverPart } from './configuration.ts';

/** What ends a value, a line, a block or the file, begins a comment, or reads another file in NFS-Ganesha's language. */
const SHARP = ['"', "'", ';', '{', '}', '\n', '#', '%include', '\\', '$', ' ', ',', '*', '/', '\0', '=', '@'];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...SHARP), fc.string({ maxLength: 6 }), fc.constantFrom('gv0', '10.1.1.1')), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));
const address = fc.ipV4();
const served: fc.Arbitrary<ServedExport> = fc.record({
  id: fc.integer({ min: -1, max: 70_000 }),
  volume: fc.oneof(fc.constantFrom('gv0', 'vol_1'), hostile).map((name) => name as EngineVolumeName),
  copies: fc.constant(3),
  path: fc.oneof(fc.constantFrom('/gv0', '/a-b', '/gv0/../..', '/'), hostile),
  clients: fc.array(fc.oneof({ weight: 3, arbitrary: address }, { weight: 1, arbitrary: hostile }), { maxLength: 3 }),
  isReadOnly: fc.boolean(),
  squash: fc.constantFrom('none', 'root'),
});

/** A reader of its own: blocks of lines NAME = VALUE; and blocks. */
const BLOCK =
  /^EXPORT \{\n {2}Export_Id = (\d+);[^{}]*Path = "([^"]*)";\n {2}Pseudo = "([^"]*)";[^{}]*CLIENT \{\n {4}Clients = ([\d., /]+);\n {4}Access_Type = (RO|RW);\n {4}Squash = (Root_Squash|No_Root_Squash);[^{}]*\}\n {2}FSAL \{[^{}]*Volume = "([^"]*)";[^{}]*\}\n\}\n/;

describe('renderConfiguration', () => {
  it('says exactly what was asked for, or refuses', () => {
    let written = 0;
    fc.assert(
      fc.property(fc.array(served, { maxLength: 3 }), (exports) => {
        let text: string;
        try {
          text = renderConfiguration(exports, SERVER_PATHS);
        } catch (error) {
          expect(isAppError(error, 'internal')).toBe(true);
          return;
        }
        written += exports.length;
        let rest = text.slice(serverPart(SERVER_PATHS).length);
        for (const { id, path, volume, clients, isReadOnly, squash } of exports) {
          const found = BLOCK.exec(rest);
          const access = isReadOnly ? 'RO' : 'RW';
          const squashed = squash === 'root' ? 'Root_Squash' : 'No_Root_Squash';
          expect(found?.slice(1)).toEqual([String(id), path, path, clients.join(', '), access, squashed, volume]);
          expect(path).toMatch(/^\/[a-z0-9-]+$/);
          expect(volume).toMatch(/^[\w.-]+$/);
          rest = rest.slice(found?.[0].length);
        }
        expect(rest).toBe('');
      }),
      { numRuns: 300 },
    );
    expect(written).toBeGreaterThan(0);
  });
});

describe('an export', () => {
  it('gives everybody who is not named no access', () => {
    const volume = parseEngineVolumeName('gv0');
    const clients = ['10.10.0.0/16'];
    const text = renderConfiguration(
      [{ id: 7, volume, copies: 3, path: '/gv0', clients, isReadOnly: false, squash: 'none' }],
      SERVER_PATHS,
    );
    const [, outside = ''] = text.split('EXPORT {');
    expect(outside.slice(0, outside.indexOf('CLIENT {'))).toContain('Access_Type = None;');
  });
});
