/** The documentation says nothing that is not there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT_CODES } from '../../src/shells/cli/exit-codes.ts';
import { ROOT } from '../project.ts';
import { headings, holdfastCommands, readDocs, relativeLinks } from './read-docs.ts';

const docs = readDocs();

test('there are pages to check', () => {
  expect(docs.map((doc) => doc.path)).toEqual(
    expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/README.md']),
  );
});

test.for(docs.map((doc) => [doc.path, doc] as const))('every link in %s leads somewhere', ([path, doc]) => {
  const broken: string[] = [];
  for (const link of relativeLinks(doc.text)) {
    const target = link.path === '' ? join(ROOT, path) : join(ROOT, dirname(path), link.path);
    const isThere = existsSync(target);
    const text = isThere && target.endsWith('.md') ? readFileSync(target, 'utf8') : '';
    if (!isThere) broken.push(link.path);
    else if (link.heading !== undefined && !headings(text).has(link.heading))
      broken.push(`${link.path}#${link.heading}`);
  }
  expect(broken).toEqual([]);
});

test('every page of docs/ is linked from another one', () => {
  const linked = new Set<string>();
  for (const doc of docs) {
    for (const link of relativeLinks(doc.text)) linked.add(join(dirname(doc.path), link.path));
  }
  const pages = docs.map((doc) => doc.path).filter((path) => path.startsWith('docs/'));
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
});

test('every exit code of the program is explained', () => {
  const page = docs.find((doc) => doc.path === 'docs/reference/exit-codes.md')?.text ?? '';
  const told = new Set([...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code)));
  expect(told).toEqual(new Set([0, ...Object.values(EXIT_CODES)]));
});

test('CONTRIBUTING.md stays a map', () => {
  const contributing = docs.find((doc) => doc.path === 'CONTRIBUTING.md');
  expect(contributing?.text.split('\n').length).toBeLessThan(150);
});

test('links, headings and commands are found where they are, and not in examples of other things', () => {
  const text =
    '# A `b` c\nSee [x](y.md#z) and [w](https://example.org), run `holdfast volume list`.\n```\nholdfast lab up -h\nls\n```\n';
  expect(relativeLinks(text)).toEqual([{ path: 'y.md', heading: 'z' }]);
  expect([...headings(text)]).toEqual(['a-b-c']);
  expect(holdfastCommands(text)).toEqual([
    ['lab', 'up', '-h'],
    ['volume', 'list'],
  ]);
});
