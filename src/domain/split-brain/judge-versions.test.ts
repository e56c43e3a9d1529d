import { describe, expect, test } from 'vitest';
import { type CopyVersion, chooseVersion, kindOf, whyNotKept } from './judge-versions.ts';

const version = (node: string, changes: Partial<CopyVersion> = {}): CopyVersion => ({
  ...{ copy: `gv0-${node}`, node, brickPath: `/p/${node}/brick`, savedIn: `/p/saved/${node}` },
  ...{ type: 'file', gfid: 'g', sizeBytes: 3, modifiedAt: '', owner: '0:0', mode: '0644', sha256: 'a' },
  ...changes,
});

describe('kindOf', () => {
  test.each([
    ['data', { sha256: 'b' }],
    ['attributes', { mode: '0600' }],
    ['identity', { gfid: 'h', sha256: 'b' }],
    ['type', { type: 'folder' as const }],
  ])('tells %s', (kind, changes) => {
    expect(kindOf([version('kube1'), version('kube2', changes)])).toBe(kind);
  });

  test.each([
    ['folder', 'folder' as const],
    ['other', 'symlink' as const],
  ])('tells %s', (kind, type) => {
    expect(kindOf([version('kube1', { type }), version('kube2', { type })])).toBe(kind);
  });

  test('tells nothing from a single version', () => {
    expect(kindOf([version('kube1')])).toBeUndefined();
  });
});

describe('chooseVersion', () => {
  const [one, two] = [version('kube1'), version('kube2', { sha256: 'b' })];

  test('keeps one and names those that lose', () => {
    expect(chooseVersion('/f', [one, two], 'kube2')).toEqual({ ok: true, kept: two, lost: [one] });
  });

  test.each([
    ['a version that is not put aside', [one, { ...two, savedIn: undefined }], 'kube1', 'on kube2 is not put aside'],
    ['its own version not put aside either', [{ ...one, savedIn: undefined }, two], 'kube1', 'on kube1 is not put'],
    ['a node without a version', [one, two], 'kube3', 'node kube3 holds 0 versions'],
    ['a node with two', [one, two, { ...two, copy: 'x' }], 'kube2', 'node kube2 holds 2 versions'],
    ['a single version', [one], 'kube1', 'only the copy on kube1 holds /f'],
    ['nothing', [], 'kube1', 'no copy holds /f'],
    ['a folder against a file', [one, version('kube2', { type: 'folder' })], 'kube1', 'is a file on one'],
  ])('refuses %s', (_, versions, keep, words) => {
    const choice = chooseVersion('/f', versions, keep);
    expect(choice).toMatchObject({ ok: false });
    expect(choice.ok ? '' : choice.message).toContain(words);
    expect(choice.ok ? '' : choice.message).toContain('nothing was changed');
  });
});

describe('whyNotKept', () => {
  const choice = { ok: true, kept: version('kube1'), lost: [version('kube2', { sha256: 'b' })] } as const;

  test.each([
    ['what was kept', { gfid: 'g', sha256: 'a' }, undefined],
    ['what was written since', { gfid: 'g', sha256: 'c' }, undefined],
    ['what lost', { gfid: 'g', sha256: 'b' }, 'still shows the version of kube2'],
    ['another file of that name', { gfid: 'h', sha256: 'a' }, 'another file in its place (h instead of g)'],
  ])('judges a mount that shows %s', (_, seen, words) => {
    const why = whyNotKept(choice, seen);
    if (words === undefined) expect(why).toBeUndefined();
    else expect(why).toContain(words);
  });
});
