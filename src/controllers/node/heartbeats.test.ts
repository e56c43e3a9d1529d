import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createHeartbeats } from './heartbeats.ts';

const LIMIT_MS = 3_000;

function listen() {
  const clock = createFakeClock();
  const turns: string[] = [];
  const heartbeats = createHeartbeats(clock, LIMIT_MS, (node) => turns.push(`${node} ${clock.monotonic()}`));
  return { clock, turns, heartbeats };
}

describe('heartbeats', () => {
  it('tells of the first beat, of the next, which alone shows life, and of none that only goes on', async () => {
    const { clock, turns, heartbeats } = listen();
    for (let beat = 0; beat < 20; beat += 1) {
      heartbeats.heard('n1', `${beat}`);
      await clock.advance(1_000);
    }
    expect(turns).toEqual(['n1 0', 'n1 1000']);
    expect(heartbeats.silenceOf('n1')).toBe(1_000);
    expect(heartbeats.silenceOf('n2')).toBeUndefined();
  });

  it('tells of a silence the moment that it is long enough, and of its end', async () => {
    const { clock, turns, heartbeats } = listen();
    heartbeats.heard('n1', 'a');
    await clock.advance(1_500);
    heartbeats.heard('n2', 'a');
    await clock.advance(500);
    heartbeats.heard('n1', 'b');
    await clock.advance(60_000);
    expect(turns).toEqual(['n1 0', 'n2 1500', 'n1 2000', 'n2 4500', 'n1 5000']);
    heartbeats.heard('n2', 'b');
    expect(turns.at(-1)).toBe('n2 62000');
    await clock.advance(LIMIT_MS);
    expect(turns.at(-1)).toBe('n2 65000');
  });

  it('takes the same beat told again for none: a list that is read anew keeps nobody alive', async () => {
    const { clock, turns, heartbeats } = listen();
    heartbeats.heard('n1', 'a');
    await clock.advance(2_000);
    heartbeats.heard('n1', 'a');
    await clock.advance(2_000);
    heartbeats.heard('n1', 'a');
    expect(turns).toEqual(['n1 0', 'n1 3000']);
    expect(heartbeats.silenceOf('n1')).toBe(4_000);
  });

  it('does not take the first that it is told for a beat, however often it is told, nor after a silence', async () => {
    const { clock, turns, heartbeats } = listen();
    expect(heartbeats.hasBeaten('n1')).toBe(false);
    heartbeats.heard('n1', 'a');
    heartbeats.heard('n1', 'a');
    await clock.advance(60_000);
    expect(heartbeats.hasBeaten('n1')).toBe(false);
    heartbeats.heard('n1', 'b');
    expect(heartbeats.hasBeaten('n1')).toBe(true);
    await clock.advance(60_000);
    expect(heartbeats.hasBeaten('n1')).toBe(true);
    expect(turns).toEqual(['n1 0', 'n1 3000', 'n1 60000', 'n1 63000']);
    heartbeats.forget('n1');
    expect(heartbeats.hasBeaten('n1')).toBe(false);
  });

  it('forgets, and leaves no timer behind when nobody is left or it is stopped', async () => {
    const { clock, turns, heartbeats } = listen();
    heartbeats.heard('n1', 'a');
    heartbeats.forget('n1');
    await clock.advance(60_000);
    expect(clock.timerCount()).toBe(0);
    expect(heartbeats.silenceOf('n1')).toBeUndefined();
    heartbeats.heard('n1', 'a');
    heartbeats.stop();
    await clock.advance(60_000);
    expect(clock.timerCount()).toBe(0);
    expect(turns).toEqual(['n1 0', 'n1 60000']);
  });
});
