/** Listening for HTTP requests, with failures that say what to do. */
import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { AppError, messageOf } from '../domain/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../domain/socket-address.ts';
import type { Logger } from '../ports/logger.ts';

/**
 * Makes a server listen; resolves with the port that was taken.
 *
 * @throws {AppError} precondition, when the address is in use, not of this machine or not permitted; the message names it
 */
export async function listen(
  server: Server | SecureServer,
  address: SocketAddress,
  log: Logger,
): Promise<SocketAddress> {
  return new Promise((resolve, reject) => {
    // Later errors (no file descriptors left to accept with) pass; they must be seen but not end the process.
    server.on('error', (error) => {
      if (server.listening) log.error('a server could not accept a connection', { err: error });
      else reject(listenError(address, error));
    });
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
      resolve({ host: address.host, port });
    });
  });
}

function listenError(address: SocketAddress, error: NodeJS.ErrnoException): AppError {
  const known: Readonly<Record<string, readonly [string, string]>> = {
    EADDRINUSE: ['is in use by another process', `stop it (ss -ltnp shows which one it is) or choose another port`],
    EADDRNOTAVAIL: ['is not an address of this machine', 'name one that `ip address` shows'],
    EACCES: ['is not permitted', 'choose a port above 1023 or start as root'],
  };
  const [why, hint] = known[error.code ?? ''] ?? [`cannot be listened on: ${messageOf(error)}`, 'check the address'];
  return new AppError('precondition', `${formatSocketAddress(address)} ${why}`, {
    reason: 'ListenFailed',
    hint,
    cause: error,
  });
}
