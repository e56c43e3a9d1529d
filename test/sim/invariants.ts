/** What must never happen, whatever breaks: asked at each change in the API, at each step of an engine, and at each tick. */
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import type { FakeEncryption } from '../../src/ports/encryption.fake.ts';
import { createClaimCheck } from './check-claims.ts';
import { createDaemonCheck } from './check-daemons.ts';
import { createDataCheck } from './check-data.ts';
import { createFenceCheck } from './check-fences.ts';
import { createKeyCheck } from './check-keys.ts';
import { createRoomCheck } from './check-room.ts';
import { createVolumeCheck } from './check-volumes.ts';
import type { OnChange, Seen } from './observer.ts';
import type { EngineWatcher } from './sim-engine.ts';
import type { World } from './world.ts';

/** What the checks can see. */
export interface CheckContext {
  readonly world: World;
  readonly gluster: FakeCluster;
  readonly seen: Seen;
  /** What the daemon of each node speaks. */
  readonly encryptions: ReadonlyMap<string, FakeEncryption>;
  /** What in each pool is not Holdfast's. */
  readonly foreignBytes: number;
  /** A controller runs and its connection is whole. */
  readonly isControllerHeard: () => boolean;
  /** When the node was last back after an absence that must have been noticed. */
  readonly returnedAt: (node: string) => number | undefined;
  /** Faults have been put on connections. */
  readonly isRough: () => boolean;
  /** Notes a broken promise; throwing where it is found would look like a fault to the program under test. */
  readonly report: (what: string) => void;
}

/** One group of promises. */
export interface Check extends Partial<EngineWatcher> {
  readonly onChange?: OnChange;
  readonly onTick?: () => void;
}

export interface Invariants extends EngineWatcher {
  readonly onChange: OnChange;
  /** @throws {Error} with every promise that was broken since the start */
  check(): void;
}

/** Creates all checks over one simulated cluster. */
export function createInvariants(options: Omit<CheckContext, 'report'>): Invariants {
  const broken = new Set<string>();
  const report = (what: string): void => {
    if (broken.size >= 10) return;
    broken.add(`${(options.world.clock.monotonic() / 1_000).toFixed(1)} s: ${what}`);
  };
  const context = { ...options, report };
  const checks: readonly Check[] = [
    createVolumeCheck(context),
    createDataCheck(context),
    createRoomCheck(context),
    createClaimCheck(context),
    createKeyCheck(context),
    createDaemonCheck(context),
    createFenceCheck(context),
  ];
  return {
    onChange: (...change) => {
      for (const each of checks) each.onChange?.(...change);
    },
    onStep: (step, process) => {
      for (const each of checks) each.onStep?.(step, process);
    },
    onEffect: (step, node) => {
      for (const each of checks) each.onEffect?.(step, node);
    },
    onLook: (desired) => {
      for (const each of checks) each.onLook?.(desired);
    },
    check: () => {
      for (const each of checks) each.onTick?.();
      if (broken.size > 0) throw new Error(`broken promises:\n  ${[...broken].join('\n  ')}`);
    },
  };
}
