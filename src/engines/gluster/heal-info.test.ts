import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countEntries, countHeals } from './heal-info.ts';
import { findSplitBrain, parseHealEntries } from './parse-work.ts';
import { parseReply, type Reply } from './reply.ts';

const fixture = (name: string): Reply => {
  const stdout = readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
  return parseReply({ stdout, stderr: '', code: 0 }, name);
};
const bricks = parseHealEntries(fixture('heal-info-real-sb.xml'));
const split = findSplitBrain(bricks, parseHealEntries(fixture('heal-info-splitbrain-real.xml')));

describe('what a brick has to heal', () => {
  it('is none of what is in split-brain: neither a file made twice nor its folder', () => {
    for (const { node, brickPath } of bricks) {
      expect(countEntries({ bricks, split }, { node, path: brickPath })).toEqual({ pending: 0, splitBrain: 2 });
    }
  });

  it('is everything else', () => {
    const [first] = bricks.map((brick) => ({ ...brick, files: [...brick.files, { path: '/late', gfid: 'g' }] }));
    if (first === undefined) throw new Error('the fixture has no brick');
    const look = { bricks: [first], split };
    expect(countEntries(look, { node: first.node, path: first.brickPath })).toEqual({ pending: 1, splitBrain: 2 });
  });

  it('is not known of a brick that is not there', () => {
    expect(countEntries({ bricks, split }, { node: 'kube9', path: '/b' })).toEqual({});
  });
});

it('asks for the entries only where something is in split-brain', async () => {
  const asked: string[] = [];
  const cli = (summary: string) => ({
    demand: async (argv: readonly string[]) => {
      asked.push(argv.at(-1) ?? '');
      if (argv.at(-1) === 'summary') return fixture(summary);
      return fixture(argv.at(-1) === 'info' ? 'heal-info-real-sb.xml' : 'heal-info-splitbrain-real.xml');
    },
    ask: () => Promise.reject(new Error('not asked')),
    text: () => Promise.reject(new Error('not asked')),
  });
  const ask = { about: '', resource: '', signal: new AbortController().signal };
  await countHeals(cli('heal-info-summary.xml'), 'v2', ask);
  expect(asked).toEqual(['summary']);
  const counted = await countHeals(cli('heal-info-summary-sb.xml'), 'v2', ask);
  expect(asked).toEqual(['summary', 'summary', 'info', 'split-brain']);
  expect(counted.map(({ pending, splitBrain }) => [pending, splitBrain])).toEqual(bricks.map(() => [0, 2]));
});
