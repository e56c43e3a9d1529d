/**
 * Every verb, with the controller or an agent killed before and after each write and each step of engine, images and work:
 * it ends as asked for, no acknowledged record is lost, and nothing is left behind.
 *
 * All moments are found by a run in which nobody dies. `SIM_POINTS=all` dies at each of them; otherwise of a verb with many
 * so many are drawn by the seed.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { type Interruptions, interruptEverywhere, type Verb } from './interrupt.ts';
import { seeds } from './seeds.ts';
import { NODE_VERBS } from './verbs-nodes.ts';
import { VOLUME_VERBS } from './verbs-volumes.ts';

const VERBS: readonly Verb[] = [...VOLUME_VERBS, ...NODE_VERBS];
const { SIM_POINTS = '8' } = process.env;
const MOST = SIM_POINTS === 'all' ? Number.POSITIVE_INFINITY : Number(SIM_POINTS);

/** For all moments on a machine that does other things as well. */
const TIMEOUT_MS = 900_000;

const lines: string[] = [];
afterAll(() => void process.stdout.write(`deaths in verbs:\n${lines.join('\n')}\n`));

describe('a program that dies', () => {
  it.each(VERBS)('in $name, at any moment, leaves it to be ended', { timeout: TIMEOUT_MS }, async (verb) => {
    const sums: Interruptions[] = [];
    for (const seed of seeds(1)) sums.push(await interruptEverywhere(verb, seed, MOST));
    for (const { ran, of } of sums) lines.push(`  ${verb.name}: ${ran} of ${of} moments`);
    expect(sums.every(({ ran }) => ran > 0)).toBe(true);
  });
});
