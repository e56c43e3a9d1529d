/** Where a program listens or is reached: a host and a port. */
import { AppError } from './errors.ts';

export interface SocketAddress {
  /** An IP address, without brackets, or a host name. */
  readonly host: string;
  /** For listening, 0 takes a free one. */
  readonly port: number;
}

const WRITTEN = /^(?:\[(?<ip6>[0-9a-fA-F]*:[0-9a-fA-F:]*)\]|(?<host>[\w.-]{1,253})):(?<port>\d{1,5})$/;
const MAX_PORT = 65_535;

/**
 * Reads HOST:PORT, an IPv6 address in brackets.
 *
 * @throws {AppError} invalid
 */
export function parseSocketAddress(text: string): SocketAddress {
  const groups = WRITTEN.exec(text)?.groups;
  const host = groups?.['ip6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  if (host === undefined || port > MAX_PORT) {
    throw new AppError('invalid', 'expected HOST:PORT, for example 10.0.0.9:7410 or [::1]:7410');
  }
  return { host, port };
}

/** As people, command lines and URLs write it: "10.0.0.9:7410", "[::1]:7410". */
export function formatSocketAddress({ host, port }: SocketAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
