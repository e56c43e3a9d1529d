/** Where a role says how it is, and what it measures. */
import type { Option } from 'commander';
import { parseSocketAddress } from '../../domain/socket-address.ts';
import { parsedOption } from './parsed-option.ts';

/** `--health-listen`, for roles in pods. */
export function healthOption(): Option {
  return parsedOption(
    '--health-listen <address:port>',
    'serve /healthz and /readyz by HTTP, for the probes of kubelet',
    parseSocketAddress,
  );
}

/** `--metrics-listen`, for roles that somebody watches with Prometheus. */
export function metricsOption(): Option {
  return parsedOption(
    '--metrics-listen <address:port>',
    'serve /metrics for Prometheus by HTTP; whoever reaches it may read it',
    parseSocketAddress,
  );
}
