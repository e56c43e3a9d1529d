import { expect, it } from 'vitest';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import { wantedOptions } from './options.ts';
import { planVolume } from './plan-volume.ts';

const DESIRED: DesiredVolume = {
  ...{
    subject: 'volume',
    isPresent: true,
    name: parseEngineVolumeName('gv0'),
    layout: 'single',
    options: {},
    engineId: 'id',
  },
  bricks: [{ node: 'kube1', path: '/pool/b', isArbiter: false }],
};
const seen = (isStarted: boolean, options: Record<string, string> = {}): ObservedVolume => ({
  ...{ subject: 'volume', isPresent: true, isStarted, engineId: 'id' },
  bricks: [{ node: 'kube1', path: '/pool/b', isOnline: true, isReadable: true, isNodeReachable: true }],
  options: { ...wantedOptions(DESIRED), ...options },
});
const SSL = { 'client.ssl': 'on', 'server.ssl': 'on', 'auth.ssl-allow': 'kube1,kube2' };
const steps = (desired: Partial<DesiredVolume>, observed: ObservedVolume) =>
  planVolume({ ...DESIRED, ...desired }, observed).map(({ step }) => step);

it('a volume that is not to be served is stopped, and nothing else', () => {
  expect(steps({ isStopped: true, encryptedFor: ['kube1'] }, seen(true))).toEqual(['stopVolume']);
  expect(steps({ isStopped: true }, seen(false))).toEqual([]);
});

it('a stopped one gets its options before it is served again, and loses them before it is served plainly', () => {
  const encryptedFor = ['kube2', 'kube1'];
  const planned = planVolume({ ...DESIRED, encryptedFor }, seen(false));
  expect(planned.map(({ step }) => step)).toEqual(['setOptions', 'startVolume']);
  expect(planned[0]).toMatchObject({ options: SSL });
  expect(steps({ encryptedFor: 'none' }, seen(false, SSL))).toEqual(['resetOptions', 'startVolume']);
});

it('another node is let in while the volume is served; what was served the other way is stopped first', () => {
  expect(steps({ encryptedFor: ['kube1', 'kube2', 'kube3'] }, seen(true, SSL))).toEqual(['setOptions']);
  expect(steps({ encryptedFor: ['kube1'] }, seen(true))).toEqual(['stopVolume', 'setOptions', 'startVolume']);
  expect(steps({ encryptedFor: 'none' }, seen(true, SSL))).toEqual(['stopVolume', 'resetOptions', 'startVolume']);
  expect(steps({ encryptedFor: ['kube1', 'kube2'] }, seen(true, SSL))).toEqual([]);
});

it('where encryption was never asked for, options that somebody else set stay', () => {
  expect(steps({}, seen(true, SSL))).toEqual([]);
});
