/**
 * What a port of GlusterFS speaks. A plain one answers the first question that GlusterFS itself asks a port, "which
 * programs do you serve"; an encrypted one resets such a connection at once, and one without a certificate of its
 * authority after the handshake (measured with GlusterFS 10.3).
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Endpoint, SpokenProtocol } from '../../ports/encryption.ts';

/** Both answer in some milliseconds; a busy machine takes more. */
const ANSWER_MS = 5_000;
/** GF_DUMP of rpc/rpc-lib/src/xdr-common.h, GlusterFS 10.3. */
const DUMP_PROGRAM = 123_451_501;
const LAST_FRAGMENT = 0x80_00_00_00;

export interface PortIdentity {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
  /** Node that must answer, by its certificate; anyone of the authority when left out. */
  readonly peer?: string;
}

/** Talks to the port both ways; without an identity only plainly. */
export async function lookAtPort(
  { host, port }: Endpoint,
  identity: PortIdentity | undefined,
  signal: AbortSignal,
): Promise<SpokenProtocol> {
  const answersPlain = await asksPlainly({ host, port }, signal);
  if (identity === undefined) return { answersPlain, why: 'this node has no certificate' };
  return { answersPlain, ...(await shakeHands({ host, port }, identity, signal)) };
}

function asksPlainly(to: Endpoint, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, signal });
    socket.setTimeout(ANSWER_MS, () => end(socket, resolve, false));
    socket.once('error', () => end(socket, resolve, false));
    socket.once('close', () => end(socket, resolve, false));
    socket.once('connect', () => socket.write(dumpCall()));
    socket.once('data', () => end(socket, resolve, true));
  });
}

function shakeHands(
  to: Endpoint,
  identity: PortIdentity,
  signal: AbortSignal,
): Promise<Pick<SpokenProtocol, 'encrypted' | 'why'>> {
  return new Promise((resolve) => {
    const { keyPem, certificatePem, authorityPem, peer } = identity;
    const socket: TLSSocket = connectTls({
      ...to,
      key: keyPem,
      cert: certificatePem,
      ca: authorityPem,
      ...(peer === undefined ? { checkServerIdentity: () => undefined } : { servername: peer }),
    });
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.setTimeout(ANSWER_MS, () => end(socket, resolve, { why: `no answer within ${ANSWER_MS / 1000} s` }));
    socket.once('error', (error: NodeJS.ErrnoException) => end(socket, resolve, { why: error.code ?? error.message }));
    // TLS 1.3 ends the handshake before the other side has looked at our certificate: only an answer shows that it took it.
    socket.once('secureConnect', () => socket.write(dumpCall()));
    socket.once('data', () => end(socket, resolve, { encrypted: socket.getProtocol() ?? 'TLS' }));
    socket.once('close', () => end(socket, resolve, { why: 'closed by the other side' }));
  });
}

function end<T>(socket: Socket, resolve: (value: T) => void, value: T): void {
  resolve(value);
  socket.destroy();
}

/** RFC 5531: one record with a call without credentials, and a gf_dump_req (one 64-bit number). */
function dumpCall(): Buffer {
  const words = [7, 0, 2, DUMP_PROGRAM, 1, 1, 0, 0, 0, 0, 0, 0];
  const record = Buffer.alloc(4 * (words.length + 1));
  for (const [at, word] of [LAST_FRAGMENT + 4 * words.length, ...words].entries()) record.writeUInt32BE(word, 4 * at);
  return record;
}
