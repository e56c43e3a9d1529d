/** Where a role says how it is. */
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
