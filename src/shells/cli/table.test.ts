import { expect, test } from 'vitest';
import { type Column, renderPairs, renderTable } from './table.ts';

const columns: readonly Column<{ readonly name: string; readonly size?: number | undefined }>[] = [
  { name: 'name', value: (item) => item.name },
  { name: 'size', value: (item) => item.size },
  { name: 'where', value: () => 'here', isWide: true },
];
const items = [{ name: 'a' }, { name: 'longer-name', size: 12 }];

test('columns are as wide as their widest cell, and nothing trails', () => {
  expect(renderTable(columns, items, { isWide: false, hasHeaders: true })).toBe(
    'NAME          SIZE\na             -\nlonger-name   12\n',
  );
});

test('wide shows more, and headings can be left out', () => {
  expect(renderTable(columns, items, { isWide: true, hasHeaders: false })).toBe(
    'a             -    here\nlonger-name   12   here\n',
  );
});

test('nothing is nothing', () => {
  expect(renderTable(columns, [], { isWide: false, hasHeaders: false })).toBe('');
});

test('control characters cannot break a line or steer the terminal', () => {
  expect(renderTable(columns, [{ name: 'a\u001b[31m\nb' }], { isWide: false, hasHeaders: false })).toBe(
    'a [31m b   -\n',
  );
});

test('pairs without a value are left out', () => {
  expect(
    renderPairs([
      ['Name', 'gv0'],
      ['Zone', undefined],
      ['Copies', 0],
    ]),
  ).toBe('Name:    gv0\nCopies:  0\n');
});
