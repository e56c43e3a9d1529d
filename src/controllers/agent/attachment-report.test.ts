import { expect, it } from 'vitest';
import type { ObservedAttachment } from '../../ports/engine.ts';
import { describeMount } from './attachment-report.ts';

const since = { kube1: 't1' };
const look = (part: Partial<ObservedAttachment>) =>
  describeMount({ subject: 'attachment', state: 'mounted', isAnswering: true, ...part }, 3, since);

it('tells how many copies a mount reaches', () => {
  const reached = { connectedCopies: 2, copies: 3, nodesReadySince: since };
  expect(look({ connections: { connected: 2, copies: 3 } })).toEqual(reached);
});

it('claims nothing about connections that cannot be seen', () => {
  expect(look({})).toEqual({});
});

it('says that a silent mount reaches nothing, and why', () => {
  const message = '/data on kube1 does not answer now';
  expect(look({ isAnswering: false, message })).toEqual({
    message,
    connectedCopies: 0,
    copies: 3,
    nodesReadySince: since,
  });
});

it('says which profile the mount has, and when it is older than the profile of its volume', () => {
  const shared = (hasProfile: boolean) =>
    describeMount({ subject: 'attachment', state: 'mounted', isAnswering: true, hasProfile }, 3, since, 'shared');
  expect(shared(true)).toEqual({ profile: 'shared' });
  expect(shared(false).message).toContain('older than what others have written');
  expect(look({ hasProfile: false }).message).toMatch(/mount it anew/);
});
