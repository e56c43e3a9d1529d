/** A person or a program that does something while the simulation goes on. */
import type { SimCluster } from './cluster.ts';

export interface User {
  /** @throws what the work threw */
  isDone(): boolean;
}

/** Starts the work; it waits by the simulated clock only. */
export function startUser(work: () => Promise<void>): User {
  let state: { readonly error?: unknown } | undefined;
  work().then(
    () => {
      state = {};
    },
    (error: unknown) => {
      state = { error };
    },
  );
  return {
    isDone: () => {
      if (state !== undefined && 'error' in state) throw state.error;
      return state !== undefined;
    },
  };
}

/** Looks again and again until the condition holds, as somebody who types commands would. */
export async function waitAsUser(sim: SimCluster, condition: () => boolean): Promise<void> {
  while (!condition()) await sim.world.clock.sleep(50);
}
