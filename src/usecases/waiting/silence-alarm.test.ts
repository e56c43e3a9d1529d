import { expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { startSilenceAlarm } from './silence-alarm.ts';

function setUp() {
  const clock = createFakeClock();
  const calls: number[] = [];
  const alarm = startSilenceAlarm(clock, 1_000, () => calls.push(clock.monotonic()));
  return { clock, alarm, calls };
}

test('it goes off once, when nothing was heard for the whole time', async () => {
  const { clock, calls } = setUp();
  await clock.advance(999);
  expect(calls).toHaveLength(0);
  await clock.advance(1);
  expect(calls).toHaveLength(1);
  await clock.advance(10_000);
  expect(calls).toHaveLength(1);
  expect(clock.timerCount()).toBe(0);
});

test('whatever is heard puts it off', async () => {
  const { clock, alarm, calls } = setUp();
  await clock.advance(600);
  alarm.heard();
  await clock.advance(999);
  expect(calls).toHaveLength(0);
  await clock.advance(1);
  expect(calls).toHaveLength(1);
});

test('once stopped it is silent itself, and leaves no timer', async () => {
  const { clock, alarm, calls } = setUp();
  alarm.stop();
  await clock.advance(5_000);
  expect(calls).toHaveLength(0);
  expect(clock.timerCount()).toBe(0);
});
