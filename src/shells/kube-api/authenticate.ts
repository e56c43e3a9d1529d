/** Who is at the other end, by the client certificate that TLS has verified. */
import type { TLSSocket } from 'node:tls';
import type { Identity } from './authorize.ts';

/** The subject of the verified certificate; undefined when there is none or it does not hold. */
export function authenticate(socket: TLSSocket): Identity | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate(false);
  const user = single(subject?.CN);
  if (user === undefined) return undefined;
  const organizations: string | string[] | undefined = subject?.O;
  return { user, groups: organizations === undefined ? [] : [organizations].flat() };
}

/** A name given twice is nobody's. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
