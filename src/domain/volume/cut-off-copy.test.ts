import { describe, expect, it } from 'vitest';
import { copyToReconnect } from './cut-off-copy.ts';

/** One letter for each copy: s served, c cut off, a away. */
function choose(letters: string): string | undefined {
  const bricks = Array.from(letters, (letter, at) => {
    return { copy: `copy-${at}`, node: `kube${at}`, isOnline: letter !== 'a', isReadable: letter === 's' };
  });
  return copyToReconnect(bricks);
}

describe('the copy that is served anew', () => {
  it('is the first that is cut off, one after the other', () => {
    expect(choose('scs')).toBe('copy-1');
    expect(choose('csc')).toBe('copy-0');
    expect(choose('c')).toBe('copy-0');
  });

  it('is none while all are served, or while another is away: the writers count on it', () => {
    expect(choose('sss')).toBeUndefined();
    expect(choose('sca')).toBeUndefined();
    expect(choose('')).toBeUndefined();
  });
});
