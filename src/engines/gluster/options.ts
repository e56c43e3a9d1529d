/** Options that every volume gets before its first start. Reasons and measurements: docs/adr and the README here. */
import type { DesiredVolume } from '../../ports/engine.ts';

/** A client notices a silent server after this many seconds (twice that at worst). 42 by default. */
const PING_TIMEOUT = { 'network.ping-timeout': '5' } as const;

/**
 * A brick notices a client without power after so many seconds and lets go of the client's locks, which nobody else gets
 * past until then: with the default of 42 a file that a lost node was writing could be written elsewhere after 42.6 s,
 * with these after 10.6 s (3 copies, measured with GlusterFS 10.3). Not sooner than the client gives up the brick, which
 * is twice its ping-timeout at worst. Connections that exist keep what they were opened with.
 */
const CLIENT_TIMEOUT = {
  'server.tcp-user-timeout': '10',
  'server.keepalive-time': '5',
  'server.keepalive-interval': '1',
} as const;

const EVERY_LAYOUT = { ...PING_TIMEOUT, ...CLIENT_TIMEOUT } as const;

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
