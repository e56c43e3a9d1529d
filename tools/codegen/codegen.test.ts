import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../project.ts';
import { generate } from './generate.ts';

const FILES = [
  'csi/csi.ts',
  'pluginregistration/api.ts',
  'google/protobuf/timestamp.ts',
  'google/protobuf/wrappers.ts',
];

// buf comes with npm, but not for every platform that Holdfast is developed on.
test.skipIf(!existsSync(join(ROOT, 'node_modules/.bin/buf')))('src/gen is what the generators make of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-codegen-'));
  try {
    await generate(folder);
    for (const file of FILES) {
      expect(readFileSync(join(folder, file), 'utf8'), file).toBe(readFileSync(join(ROOT, 'src/gen', file), 'utf8'));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
