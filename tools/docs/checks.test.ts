/** The page of doctor's checks and the code name the same ones, by the same titles, and promise the same fixes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKS_PAGE } from '../../src/domain/doctor/finding.ts';
import { CHECKS } from '../../src/domain/doctor/judge.ts';
import { LOGIN_CHECK } from '../../src/usecases/install/check-machines.ts';
import { PREFLIGHT_CHECKS } from '../../src/usecases/install/preflight.ts';
import { ROOT } from '../project.ts';

const page = readFileSync(join(ROOT, CHECKS_PAGE), 'utf8').replaceAll(/\s+/g, ' ');
const sections = [...page.matchAll(/ ## (HF\d+) \*\*(.+?)\.\*\*/g)].map(([, id, title]) => `${id} ${title}`);

test('each check has its section, and each section its check', () => {
  const all = [...CHECKS, LOGIN_CHECK, ...PREFLIGHT_CHECKS];
  expect(sections).toEqual(all.map(({ id, title }) => `${id} ${title}`).toSorted());
});
