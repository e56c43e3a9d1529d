import { describe, expect, it } from 'vitest';
import { decideAnchor } from './decide-anchor.ts';

const nodes = (usable: string[], all = ['kube1', 'kube2', 'kube3']) =>
  all.map((name) => ({ name, isUsable: usable.includes(name) }));

describe('decideAnchor', () => {
  it('starts with the first usable node by name', () => {
    expect(decideAnchor(nodes(['kube3', 'kube2']), undefined, [])).toEqual({ ok: true, anchor: 'kube2' });
  });

  it('keeps a usable anchor', () => {
    expect(decideAnchor(nodes(['kube1', 'kube2']), 'kube2', ['kube1', 'kube2'])).toEqual({ ok: true, anchor: 'kube2' });
  });

  it('moves to a member of the pool, never to an outsider', () => {
    expect(decideAnchor(nodes(['kube1', 'kube3']), 'kube2', ['kube2', 'kube3'])).toEqual({ ok: true, anchor: 'kube3' });
    expect(decideAnchor(nodes(['kube1']), 'kube2', ['kube2', 'kube3'])).toEqual({
      ok: false,
      reason: "none of the pool's members is reachable: kube2, kube3",
    });
  });

  it('waits for the node that has begun the pool alone: nobody knows whom it has joined since', () => {
    expect(decideAnchor(nodes(['kube1', 'kube3']), 'kube2', ['kube2'])).toEqual({
      ok: false,
      reason: "none of the pool's members is reachable: kube2",
    });
  });

  it('begins anew when the pool has no member among the nodes any more', () => {
    expect(decideAnchor(nodes(['kube1', 'kube3']), 'kube9', ['kube9'])).toEqual({ ok: true, anchor: 'kube1' });
  });

  it('says so when no engine runs yet', () => {
    expect(decideAnchor(nodes([]), undefined, [])).toEqual({ ok: false, reason: 'no node has a running engine yet' });
  });
});
