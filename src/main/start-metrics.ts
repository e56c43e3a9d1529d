/** Metrics of a role, where somebody asks for them: what counts, and what serves it. */

import type { MetricRole } from '../domain/metrics/definitions.ts';
import { sample } from '../domain/metrics/definitions.ts';
import type { SocketAddress } from '../domain/socket-address.ts';
import type { Logger } from '../ports/logger.ts';
import type { Metrics } from '../ports/metrics.ts';
import { VERSION } from './version.ts';

export interface Measuring {
  /** Left out where nobody asks: then nothing is counted. */
  readonly metrics?: Metrics;
}

export interface MetricsOfRole {
  readonly measuring: Measuring;
  /** To be run beside the role; none where nobody asks. */
  readonly services: readonly ((signal: AbortSignal) => Promise<void>)[];
}

/** Loaded only where it is wanted: a role without it stays small. */
export async function startMetrics(
  listen: SocketAddress | undefined,
  { log, role }: { readonly log: Logger; readonly role: MetricRole },
): Promise<MetricsOfRole> {
  if (listen === undefined) return { measuring: {}, services: [] };
  const [{ createMetrics }, { processSamples }, { serveMetrics }] = await Promise.all([
    import('../adapters/metrics/registry.ts'),
    import('../adapters/metrics/process-samples.ts'),
    import('../shells/metrics/serve-metrics.ts'),
  ]);
  const metrics = createMetrics(log, role);
  metrics.addSource(processSamples);
  metrics.addSource(() => [sample('holdfast_build_info', { version: VERSION, role }, 1)]);
  return { measuring: { metrics }, services: [(signal) => serveMetrics({ listen, metrics, log }, signal)] };
}
