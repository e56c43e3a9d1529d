import { expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createPulse, PULSE_LIMIT_MS } from './pulse.ts';

it('complains about work that hangs, by name, until something of the kind has ended', async () => {
  const clock = createFakeClock();
  const pulse = createPulse(clock);
  const hanging = Promise.withResolvers<void>();
  const work = pulse.during('the look at kube1', () => hanging.promise);
  await clock.advance(PULSE_LIMIT_MS);
  expect(pulse.complaint()).toBeUndefined();
  await clock.advance(1_000);
  expect(pulse.complaint()).toBe('the look at kube1 has not ended for 181 s, so the node is not called well');
  // The next one got through, and failed: that is an answer.
  await expect(pulse.during('another look', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  expect(pulse.complaint()).toBeUndefined();
  await clock.advance(PULSE_LIMIT_MS + 1);
  expect(pulse.complaint()).toContain('the look at kube1');
  hanging.resolve();
  await work;
  expect(pulse.complaint()).toBeUndefined();
});

it('is content while there is nothing to do', async () => {
  const clock = createFakeClock();
  const pulse = createPulse(clock);
  await clock.advance(10 * PULSE_LIMIT_MS);
  expect(pulse.complaint()).toBeUndefined();
});
