/** Answers about heals, split-brain and rebalances as types. Pure. */
import { folderOf } from '../../domain/volume/entry-path.ts';
import type { FullCrawl, RebalanceState, SplitBrainEntry } from '../../ports/volume-work.ts';
import { type Reply, wholeNumber } from './reply.ts';

export interface BrickEntries {
  readonly node: string;
  readonly brickPath: string;
  readonly isConnected: boolean;
  readonly files: readonly { readonly path: string; readonly gfid: string }[];
}

/** `heal V info` and `heal V info split-brain`: the entries themselves. */
export function parseHealEntries(reply: Reply): readonly BrickEntries[] {
  const bricks = reply.root.child('healInfo')?.child('bricks')?.children('brick') ?? [];
  return bricks.map((brick) => {
    const name = brick.child('name')?.text ?? '';
    return {
      node: name.split(':')[0] ?? '',
      brickPath: name.slice(name.indexOf(':') + 1),
      isConnected: brick.child('status')?.text === 'Connected',
      files: brick.children('file').map((file) => ({ path: entryName(file.text), gfid: file.attribute('gfid') ?? '' })),
    };
  });
}

/** An entry whose name is not known is written <gfid:UUID>. */
function entryName(text: string): string {
  return /^<(gfid:[0-9a-f-]{36})>$/.exec(text)?.[1] ?? text;
}

/**
 * What is in split-brain. An entry that was made on several nodes at once is not listed as such by GlusterFS: its folder
 * is, and the entry itself appears among those to heal with another gfid on each brick.
 */
export function findSplitBrain(
  pending: readonly BrickEntries[],
  split: readonly BrickEntries[],
): readonly SplitBrainEntry[] {
  const gfids = new Map<string, Set<string>>();
  for (const { path, gfid } of pending.flatMap((brick) => brick.files)) {
    gfids.set(path, (gfids.get(path) ?? new Set()).add(gfid));
  }
  const twofold = [...gfids].filter(([, seen]) => seen.size > 1).map(([path]) => path);
  const folders = new Set(twofold.map(folderOf));
  const listed = new Set(split.flatMap((brick) => brick.files.map((file) => file.path)));
  const content = [...listed].filter((path) => !folders.has(path) && !twofold.includes(path));
  return [
    ...content.map((path) => ({ path, kind: 'content' as const })),
    ...twofold.map((path) => ({ path, kind: 'identity' as const })),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** `heal V statistics`, which answers in text: the crawls over everything. */
export function parseFullCrawls(text: string): readonly FullCrawl[] {
  const crawls: FullCrawl[] = [];
  let brick = '';
  let began: string | undefined;
  let isEnded = false;
  for (const line of text.split('\n')) {
    brick = /^Crawl statistics for (brick no \d+)/.exec(line)?.[1] ?? brick;
    const start = /^Starting time of crawl: (.+)/.exec(line)?.[1];
    if (start !== undefined) [began, isEnded] = [start.trim(), false];
    if (line.startsWith('Ending time of crawl:')) isEnded = true;
    if (line.startsWith('Type of crawl: FULL') && began !== undefined)
      crawls.push({ id: `${brick} ${began}`, isEnded });
  }
  return crawls;
}

// gf_defrag_status_t in rpc/xdr/src/cli1-xdr.x: 0 not started, 1 started, 2 stopped, 3 complete, 4 failed; 5 to 9 are the
// same for a fix-layout alone.
const STATES: readonly RebalanceState['state'][] = ['none', 'running', 'stopped', 'done', 'failed'];

/** `rebalance V status`. */
export function parseRebalance(reply: Reply): RebalanceState {
  const total = reply.root.child('volRebalance')?.child('aggregate');
  const count = (name: string) => wholeNumber(total?.child(name)?.text) ?? 0;
  const code = wholeNumber(total?.child('status')?.text) ?? 0;
  return {
    state: STATES[code >= 5 ? code - 5 : code] ?? 'failed',
    movedFiles: count('files'),
    movedBytes: count('size'),
    lookedAt: count('lookups'),
    failures: count('failures'),
    skipped: count('skipped'),
  };
}
