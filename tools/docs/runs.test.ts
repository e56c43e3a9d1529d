/** Every page is run on real storage (test/engine/docs.test.ts), or says why not, line by line. */
import { expect, test } from 'vitest';
import { readPages } from '../../test/docs/command-lines.ts';
import { PAGES, PAGES_NOT_RUN } from '../../test/docs/pages.ts';

const pages = readPages();
const run = pages.filter(({ path }) => PAGES[path] !== undefined);

test('every page with command lines is run, or says why not', () => {
  const paths = pages.map(({ path }) => path);
  expect(paths.filter((path) => PAGES[path] === undefined && PAGES_NOT_RUN[path] === undefined)).toEqual([]);
  expect([...Object.keys(PAGES), ...Object.keys(PAGES_NOT_RUN)].filter((path) => !paths.includes(path))).toEqual([]);
});

test.each(run)('what is said about the lines of $path is about lines that it has', ({ path, lines }) => {
  const { codes = {}, notRun = {} } = PAGES[path] ?? {};
  expect([...Object.keys(codes), ...Object.keys(notRun)].filter((line) => !lines.includes(line))).toEqual([]);
});
