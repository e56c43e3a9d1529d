/** Options that every volume gets before its first start. Reasons and measurements: docs/adr and the README here. */
import type { DesiredVolume } from '../../ports/engine.ts';

/** A client notices a silent server after this many seconds (twice that at worst). 42 by default. */
const EVERY_LAYOUT = { 'network.ping-timeout': '5' } as const;

const REPLICATED = {
  /** Seconds between looks for entries to heal; 600 by default, and a heal after a reconnect can be missed once. */
  'cluster.heal-timeout': '30',
  /** Writes need more than half of the copies, so two halves can never both go on. */
  'cluster.quorum-type': 'auto',
  /** Nodes cut off from most of the pool stop their bricks and take no configuration change. */
  'cluster.server-quorum-type': 'server',
  /** Never picks a loser by itself when copies differ. */
  'cluster.favorite-child-policy': 'none',
} as const;

/**
 * The options that must hold on a volume: the engine's own, overridden by those asked for.
 *
 * A single copy gets no quorum: it must stay usable while its node lives, however few others do.
 */
export function wantedOptions(volume: Pick<DesiredVolume, 'layout' | 'options'>): Readonly<Record<string, string>> {
  const defaults = volume.layout === 'single' ? EVERY_LAYOUT : { ...EVERY_LAYOUT, ...REPLICATED };
  return { ...defaults, ...volume.options };
}
