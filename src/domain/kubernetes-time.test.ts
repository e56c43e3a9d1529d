import { expect, test } from 'vitest';
import { kubernetesMicroTime, kubernetesTime } from './kubernetes-time.ts';

test('times are cut to whole seconds, those of leases to microseconds', () => {
  const now = Date.UTC(2026, 10, 20, 23, 38, 51, 987);
  expect(kubernetesTime(now)).toBe('2026-11-20T23:38:51Z');
  expect(kubernetesMicroTime(now)).toBe('2026-11-20T23:38:51.987000Z');
  expect(kubernetesMicroTime(0)).toBe('1970-01-01T00:00:00.000000Z');
});
