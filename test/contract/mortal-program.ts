/** Programs in this process that are killed in the midst of what they do, and started anew, as systemd or kubelet does. */
import type { Clock } from '../../src/ports/clock.ts';
import type { Host } from '../../src/ports/host.ts';
import { createMortality, type Mortality, never } from '../sim/mortality.ts';

/** What one run of a program has: all of it is deaf and mute once the program is dead. */
export interface Life extends Pick<Mortality, 'clock' | 'client'> {
  /** A machine, or a part of one. What it was asked for last it may still do. */
  part<T extends object>(inner: T): T;
  host(inner: Host): Host;
}

export interface MortalProgram {
  /**
   * Kills it when it asks something of its machine, or writes to the API, for the nth time from now on: before that is done, or after it and
   * without hearing of it.
   */
  killAt(nth: number): void;
  /** How often it was killed. */
  deaths(): number;
  /** Resolves when the one that runs has ended by itself. */
  readonly ended: Promise<void>;
}

/** Runs a program, and another one after each of its deaths, until the signal says that it is enough. */
export function keepRunning(
  clock: Clock,
  signal: AbortSignal,
  run: (life: Life, signal: AbortSignal) => Promise<void>,
): MortalProgram {
  let [deaths, left] = [0, Number.POSITIVE_INFINITY];
  let current: Mortality | undefined;
  const isLast = (): boolean => {
    left -= 1;
    return left === 0;
  };
  const begin = async (): Promise<void> => {
    left = Number.POSITIVE_INFINITY;
    const mortality = createMortality(clock, () => (isLast() ? (deaths % 2 === 0 ? 'before' : 'after') : undefined));
    current = mortality;
    const again = mortality.died.then(() => {
      deaths += 1;
      return signal.aborted ? undefined : begin();
    });
    await Promise.race([run(createLife(mortality, isLast), signal), again]);
  };
  return {
    killAt: (nth) => {
      if (current?.isAlive() === true) left = nth;
    },
    deaths: () => deaths,
    ended: begin(),
  };
}

function createLife(mortality: Mortality, isLast: () => boolean): Life {
  let asked = 0;
  const ask = <T>(work: () => Promise<T>): Promise<T> => {
    if (!mortality.isAlive()) return never();
    asked += 1;
    if (!isLast()) return mortality.survive(work);
    if (asked % 2 === 0) {
      mortality.kill();
      return never();
    }
    return mortality.survive(() => work().finally(mortality.kill));
  };
  const part = <T extends object>(inner: T): T =>
    Object.fromEntries(
      Object.entries(inner).map(([name, value]) => [
        name,
        typeof value === 'function'
          ? (...args: unknown[]) => ask(() => (value as (...each: unknown[]) => Promise<unknown>)(...args))
          : value,
      ]),
    ) as T;
  const host = (inner: Host): Host => ({
    name: inner.name,
    run: (command) => ask(() => inner.run(command)),
    files: part(inner.files),
    mounts: part(inner.mounts),
  });
  return { clock: mortality.clock, client: mortality.client, part, host };
}
