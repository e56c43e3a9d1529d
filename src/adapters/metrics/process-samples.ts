/** What a program takes of its machine. */
import { type Sample, sample } from '../../domain/metrics/definitions.ts';

const startedAt = Date.now() / 1000 - process.uptime();

/** By the names that every Prometheus client uses. */
export function processSamples(): readonly Sample[] {
  const { user, system } = process.cpuUsage();
  return [
    sample('process_cpu_seconds_total', {}, (user + system) / 1e6),
    sample('process_resident_memory_bytes', {}, process.memoryUsage.rss()),
    sample('process_start_time_seconds', {}, startedAt),
  ];
}
