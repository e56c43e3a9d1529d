import { expect, it } from 'vitest';
import { adviseOnHalf } from './half-members.ts';

it.each([
  ['Sent and Received peer request', 'state 5'],
  ['Accepted peer request', 'state 4'],
  ['Peer is connected and Accepted', 'state 10'],
  ['Probe Sent to Peer', 'no answer yet'],
  ['Establishing Connection', 'no answer yet'],
  ['Connected to Peer', 'no answer yet'],
  ['Probe Received from Peer', 'kube2 has asked kube1'],
  ['Peer Rejected', 'state 6'],
  ['Peer detach in progress', 'state 7'],
])('tells what "%s" means, and what to do on which machine', (stateText, words) => {
  const advice = adviseOnHalf({ from: 'kube1', to: 'kube2', stateText });
  expect(advice?.meaning).toContain(words);
  expect(advice?.fix).toContain('restart glusterd');
});

it('makes nothing up about a state that it does not know', () => {
  expect(adviseOnHalf({ from: 'kube1', to: 'kube2', stateText: 'Invalid State' })).toBeUndefined();
});
