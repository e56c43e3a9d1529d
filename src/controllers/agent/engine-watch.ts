/** What the engines of this node say of themselves, asked no more often than somebody could want to know. */
import type { Clock, Millis } from '../../ports/clock.ts';
import type { Engine, EngineProbe } from '../../ports/engine.ts';

export interface ProbedEngine {
  readonly engine: Engine;
  readonly probe: EngineProbe;
}

export interface EngineWatch {
  /** Those that are here; optional ones that are not installed are left out. */
  look(signal: AbortSignal): Promise<readonly ProbedEngine[]>;
  /** Asks them anew at the next look. */
  forget(): void;
}

/** Shorter than the time between two reports, so that each of those is of a fresh look. */
const KEPT_MS: Millis = 10_000;

/**
 * Looks at the engines. To ask all of them starts some ten programs, and every copy that is made or removed makes the node
 * look at its pools: so what they said is kept for a while, as long as all of them run and none has anything to complain of.
 */
export function createEngineWatch({ clock }: { readonly clock: Clock }, engines: readonly Engine[]): EngineWatch {
  let kept: { readonly at: Millis; readonly probed: readonly ProbedEngine[] } | undefined;
  let forgotten = 0;
  return {
    look: async (signal) => {
      const at = clock.monotonic();
      if (kept !== undefined && at - kept.at < KEPT_MS) return kept.probed;
      const before = forgotten;
      kept = undefined;
      const asked = await Promise.all(engines.map(async (engine) => ({ engine, probe: await engine.probe(signal) })));
      const probed = asked.filter(
        ({ engine, probe }) => probe.isInstalled || engine.capabilities().isOptional !== true,
      );
      // What was asked before an engine was changed is not what it says after.
      if (forgotten === before && probed.every(({ probe }) => isAtRest(probe))) kept = { at, probed };
      return probed;
    },
    forget: () => {
      forgotten += 1;
      kept = undefined;
    },
  };
}

function isAtRest({ isRunning, isRejoining = false, isBlank = false, message }: EngineProbe): boolean {
  return isRunning && !isRejoining && !isBlank && message === undefined;
}
