/** How often the anchor looks at volumes that nothing is the matter with. */
import type { Millis } from '../../ports/clock.ts';

/** One of them; asking GlusterFS for heal info starts a process that connects to all bricks. */
export const HEALTHY_PERIOD_MS: Millis = 30_000;
/** Any of them. With many volumes looks would otherwise follow each other without end, and whatever is new wait behind them. */
const BETWEEN_LOOKS_MS: Millis = 1_000;

/** After how long a healthy volume is looked at again by a node that is the anchor of so many. */
export function healthyPeriod(anchored: number): Millis {
  return Math.max(HEALTHY_PERIOD_MS, anchored * BETWEEN_LOOKS_MS);
}
