import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSplitBrain, parseFullCrawls, parseHealEntries, parseRebalance } from './parse-work.ts';
import { parseReply, type Reply } from './reply.ts';

function reply(name: string): Reply {
  const stdout = readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
  return parseReply({ stdout, stderr: '', code: 0 }, name);
}

describe('split-brain', () => {
  const pending = parseHealEntries(reply('heal-info-real-sb.xml'));
  const split = parseHealEntries(reply('heal-info-splitbrain-real.xml'));

  it('is told by entries, and what was made twice by its two identities instead of its folder', () => {
    expect(findSplitBrain(pending, split)).toEqual([
      { path: '/f', kind: 'content' },
      { path: '/new', kind: 'identity' },
    ]);
  });

  it('names a folder in which nothing is found', () => {
    const onlyFolder = split.map((brick) => ({ ...brick, files: brick.files.filter(({ path }) => path === '/') }));
    expect(findSplitBrain([], onlyFolder)).toEqual([{ path: '/', kind: 'content' }]);
  });

  it('is nothing where nothing differs', () => {
    expect(findSplitBrain(parseHealEntries(reply('heal-info.xml')), [])).toEqual([]);
  });

  it('names an entry whose name GlusterFS does not know by its gfid', () => {
    const gfid = '5a7f700e-f29a-4067-b1d6-1fb823b3f7ca';
    const stdout = `<cliOutput><healInfo><bricks><brick hostUuid="u"><name>kube1:/b</name><file gfid="${gfid}">&lt;gfid:${gfid}&gt;</file><status>Connected</status></brick></bricks></healInfo><opRet>0</opRet></cliOutput>`;
    const [brick] = parseHealEntries(parseReply({ stdout, stderr: '', code: 0 }, 'heal info'));
    expect(brick).toEqual({
      node: 'kube1',
      brickPath: '/b',
      isConnected: true,
      files: [{ path: `gfid:${gfid}`, gfid }],
    });
  });
});

describe('rebalance', () => {
  it('tells the sum over all nodes', () => {
    expect(parseRebalance(reply('rebalance-status-done.xml'))).toEqual({
      ...{ state: 'done', movedFiles: 102, movedBytes: 5_100_000, lookedAt: 301, failures: 0, skipped: 0 },
    });
  });
});

it('reads the crawls over everything, and which of them go on', () => {
  const crawl = (began: string, type: string, end: string) =>
    `\nStarting time of crawl: ${began}\n\n${end}\n\nType of crawl: ${type}\nNo. of entries healed: 0\n`;
  const ended = 'Ending time of crawl: Sat Nov 21 02:16:57 2026';
  const text =
    '------\n\nCrawl statistics for brick no 0\nHostname of brick kube1\n' +
    `${crawl('Sat Nov 21 02:16:54 2026', 'INDEX', ended)}${crawl('Sat Nov 21 02:16:57 2026', 'FULL', ended)}` +
    '\nCrawl statistics for brick no 1\nHostname of brick kube2\n' +
    crawl('Sat Nov 21 02:17:01 2026', 'FULL', 'Crawl is in progress');
  expect(parseFullCrawls(text)).toEqual([
    { id: 'brick no 0 Sat Nov 21 02:16:57 2026', isEnded: true },
    { id: 'brick no 1 Sat Nov 21 02:17:01 2026', isEnded: false },
  ]);
});
