import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What is loaded when only the overview is shown: every module reached by imports that run at once. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(file, 'utf8');
  for (const [, names = '', from = ''] of source.matchAll(/^import ([^;]*?)\s*from '([^']+)';/gms)) {
    if (names.startsWith('type ')) continue;
    if (from.startsWith('.')) loadedWith(resolve(dirname(file), from), seen);
    else seen.add(from);
  }
  return seen;
}

test('the overview loads commander and a handful of small modules, but no command, schema or client', () => {
  const loaded = [...loadedWith(fileURLToPath(new URL('./program.ts', import.meta.url)))];
  expect(loaded.filter((name) => !name.startsWith('/')).toSorted()).toEqual(['commander', 'node:util']);
  expect(loaded.filter((name) => /commands|schemas|usecases|adapters/.test(name))).toEqual([]);
  expect(loaded.length).toBeGreaterThan(5);
});
