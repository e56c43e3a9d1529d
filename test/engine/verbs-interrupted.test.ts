/**
 * Every verb under a writer, with an agent and the controller killed by SIGKILL at a step of it each. What the command line
 * then could not finish the person types again: it ends as asked for, every acknowledged record is there, the copies are
 * equal, and nothing is left behind.
 *
 * The seed chooses the steps; VERB_SEED repeats one, VERB_MOMENTS=all tries all that are listed. Every single moment is
 * tried in the simulation (test/sim/verbs.test.ts).
 */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../src/ports/random.fake.ts';
import type { Random } from '../../src/ports/random.ts';
import { INTERRUPTED_VERBS, type InterruptedVerb, type Moment } from './interrupted-verbs.ts';
import { CONTROLLER } from './interrupter.ts';
import type { Death } from './mortal-process.ts';
import { HOSTS, openVerbsWorld, type VerbsWorld } from './verbs-world.ts';

const { VERB_SEED, VERB_MOMENTS } = process.env;
const IS_ALL = VERB_MOMENTS === 'all';
const SEED = VERB_SEED === undefined ? Date.now() % 100_000 : Number(VERB_SEED);
/** With everything that happens on a busy machine twice. */
const TIMEOUT_MS = IS_ALL ? 3_600_000 : 240_000;
const WHEN: readonly Death['when'][] = ['before', 'amid', 'after'];

let world: VerbsWorld | undefined;

/** What failed leaves a cluster that nobody should go on with. */
beforeEach(async () => {
  world ??= await openVerbsWorld();
}, TIMEOUT_MS);
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await world?.product.remove();
  world = undefined;
}, TIMEOUT_MS);
afterAll(() => world?.product.remove());

function theWorld(): VerbsWorld {
  if (world === undefined) throw new Error('it was not opened');
  return world;
}

async function renewWorld(): Promise<void> {
  await theWorld().expectWholeAndGone();
  await theWorld().product.remove();
  world = await openVerbsWorld();
}

function drawn<T>(random: Random, from: readonly T[]): T {
  const found = from[Math.floor(random.next() * from.length)];
  if (found === undefined) throw new Error('there is nothing to draw from');
  return found;
}

function deathAt(random: Random, moment: Moment): Death {
  const [text, nth] = typeof moment === 'string' ? [moment, 1] : moment;
  return { text, nth, when: drawn(random, WHEN) };
}

/** Pairs of deaths, an agent's and the controller's: one that is drawn, or as many as hold every moment of both. */
function deathsOf({ agent, controller }: InterruptedVerb, random: Random): readonly (readonly [Death, Death])[] {
  if (!IS_ALL) return [[deathAt(random, drawn(random, agent)), deathAt(random, drawn(random, controller))]];
  return Array.from({ length: Math.max(agent.length, controller.length) }, (_, at) => [
    deathAt(random, agent[at % agent.length] ?? ''),
    deathAt(random, controller[at % controller.length] ?? ''),
  ]);
}

describe(`under a writer, with deaths of seed ${SEED} (VERB_SEED)`, { timeout: TIMEOUT_MS }, () => {
  it.each(INTERRUPTED_VERBS)('$name ends as asked for', async (verb) => {
    const random = createSeededRandom(SEED + INTERRUPTED_VERBS.indexOf(verb));
    for (const [at, [ofAgent, ofController]] of deathsOf(verb, random).entries()) {
      if (at > 0 && verb.isLast === true) await renewWorld();
      const { interrupter, writer } = theWorld();
      const { line, agents = HOSTS, check, ...typed } = await verb.begin(theWorld());
      const death = (who: string, { when, text, nth }: Death) => `${who} dies ${when} "${text}" (${nth})`;
      process.stdout.write(`${line}: ${death('an agent', ofAgent)}, ${death('the controller', ofController)}\n`);
      const dooms = [
        { victims: agents, death: ofAgent },
        { victims: [CONTROLLER], death: ofController },
      ];
      const tries = await interrupter.interrupt(dooms, { args: line.split(' '), ...typed });
      expect(tries).toBeLessThanOrEqual(1 + dooms.length);
      await check();
      await writer.writeMore(5);
    }
  });

  it('every acknowledged record is there in the end, the copies are equal, and nothing is left', async () => {
    const whole = await theWorld().expectWholeAndGone();
    expect(whole).toBeUndefined();
  });
});
