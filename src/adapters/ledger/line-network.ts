/** Lines over TCP. */
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { AppError } from '../../domain/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../../domain/socket-address.ts';
import {
  type LedgerNetwork,
  type LineHandler,
  type LineLink,
  type LineServer,
  MAX_LINK_LINE_BYTES,
} from '../../ports/ledger-link.ts';

/** Creates the network of this machine (or of the network namespace that this process is in). */
export function createLedgerNetwork(): LedgerNetwork {
  return {
    listen: (address, accept) => listen(address, accept),
    connect: async (address, handler, options) => {
      const socket = await connect(address, options);
      return linkOf(socket, () => handler);
    },
  };
}

/** Attaches the handler to a connected socket. */
function linkOf(socket: Socket, handlerFor: (link: LineLink) => LineHandler): LineLink {
  socket.setNoDelay(true);
  socket.setEncoding('latin1');
  const link: LineLink = {
    peer: `${socket.remoteAddress}:${socket.remotePort}`,
    send: (line) => {
      if (socket.writable) socket.write(`${line}\n`, 'latin1');
    },
    close: () => {
      socket.destroy();
    },
  };
  const handler = handlerFor(link);
  let rest = '';
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) handler.line(line.replace(/\r$/, ''));
    if (rest.length > MAX_LINK_LINE_BYTES) socket.destroy();
  });
  // What went wrong does not matter to either side: `closed` follows, and both can do no more than connect again.
  socket.on('error', () => undefined);
  socket.once('close', () => handler.closed());
  return link;
}

async function connect(
  address: SocketAddress,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<Socket> {
  const where = formatSocketAddress(address);
  return await new Promise<Socket>((resolve, reject) => {
    const socket = createConnection({ host: address.host, port: address.port, timeout: options.timeoutMs });
    const fail = (error: AppError): void => {
      options.signal?.removeEventListener('abort', abort);
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(new AppError('cancelled', `connecting to the ledger at ${where} was cancelled`));
    if (options.signal?.aborted === true) return abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    socket.once('timeout', () => fail(new AppError('unavailable', `the ledger at ${where} does not answer`)));
    socket.once('error', (cause) => {
      fail(new AppError('unavailable', `cannot reach the ledger at ${where}: ${cause.message}`, { cause }));
    });
    socket.once('connect', () => {
      options.signal?.removeEventListener('abort', abort);
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      socket.removeAllListeners('timeout');
      resolve(socket);
    });
  });
}

async function listen(address: SocketAddress, accept: (link: LineLink) => LineHandler): Promise<LineServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    linkOf(socket, accept);
  });
  await startListening(server, address);
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function startListening(server: Server, address: SocketAddress): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const where = formatSocketAddress(address);
      const kind = cause.code === 'EACCES' ? 'denied' : 'precondition';
      const why = cause.code === 'EADDRINUSE' ? 'another program listens there' : cause.message;
      const hint = 'choose another address with --listen HOST:PORT';
      reject(new AppError(kind, `cannot listen at ${where}: ${why}`, { reason: 'CannotListen', hint, cause }));
    });
    server.listen({ host: address.host, port: address.port }, () => resolve());
  });
}
