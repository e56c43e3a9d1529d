/** The promise behind the condition Redundant: when it is True, any one copy can be lost. */
import { HEALTHY_PERIOD_MS } from '../../src/controllers/agent/healthy-period.ts';
import { HEARTBEAT_TIMEOUT_MS } from '../../src/domain/node/decide-node-health.ts';
import { engineNameOf } from '../../src/domain/volume/engine-name.ts';
import type { Resource } from '../../src/ports/resource-client.ts';
import type { Check, CheckContext } from './invariants.ts';
import type { Seen } from './observer.ts';
import { isRedundantNow } from './truth.ts';

/**
 * How long Redundant=True may outlive the truth, counted only while a controller runs and hears, since nobody else can
 * take a claim back. The anchor looks at a healthy volume at that period; a node that falls silent is noticed after 3 s,
 * and its successor as anchor looks at once; looking, reporting and deciding take up to 2 s.
 */
const CLAIM_LAG_MS = HEALTHY_PERIOD_MS + HEARTBEAT_TIMEOUT_MS + 2_000;
/** With faults on the connections: a silent watch is noticed after 25 s, and two tries are up to 10 s apart. */
const ROUGH_CLAIM_LAG_MS = CLAIM_LAG_MS + 25_000 + 2 * 10_000;

/** Redundant=True is never older than that, and never from before a member node came back. */
export function createClaimCheck(context: CheckContext): Check {
  const { world, gluster, seen, report, isControllerHeard, returnedAt, isRough } = context;
  const lastLook = new Map<string, number>();
  /** How long each claim has outlived the truth. */
  const staleMs = new Map<string, number>();
  let lastTickAt = 0;

  const checkAge = (volume: Resource<'Volume'>, passedMs: number): void => {
    const { name } = volume.metadata;
    const engineName = engineNameOf(volume);
    const stale = isRedundantNow(gluster, engineName, readyNodes(seen)) ? 0 : (staleMs.get(name) ?? 0) + passedMs;
    staleMs.set(name, stale);
    const limit = isRough() ? ROUGH_CLAIM_LAG_MS : CLAIM_LAG_MS;
    if (stale > limit) report(`${name} is called redundant, and has not been for more than ${limit / 1_000} s`);
  };

  const checkReturns = (volume: Resource<'Volume'>): void => {
    const { name } = volume.metadata;
    for (const { node } of volume.status?.placement ?? []) {
      const back = returnedAt(node);
      const isSeen = back === undefined || back <= (lastLook.get(engineNameOf(volume)) ?? 0);
      if (!isSeen) report(`${name} is called redundant, and nobody has looked since ${node} is back`);
    }
  };

  return {
    onLook: (desired) => {
      if (desired.subject === 'volume') lastLook.set(desired.name, world.clock.monotonic());
    },
    onTick: () => {
      const now = world.clock.monotonic();
      const passedMs = isControllerHeard() ? now - lastTickAt : 0;
      lastTickAt = now;
      for (const volume of seen.Volume.values()) {
        const { name } = volume.metadata;
        const claim = volume.status?.conditions?.find((condition) => condition.type === 'Redundant');
        if (claim?.status !== 'True') {
          staleMs.delete(name);
          continue;
        }
        checkAge(volume, passedMs);
        checkReturns(volume);
      }
    },
  };
}

/** Nodes that the controller believes to be there; mounts on others are nobody's to judge. */
function readyNodes(seen: Seen): readonly string[] {
  return [...seen.StorageNode.values()]
    .filter((node) => node.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'))
    .map((node) => node.metadata.name);
}
