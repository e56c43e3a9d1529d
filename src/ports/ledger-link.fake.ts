/** A network in memory that delivers lines in order, and that a test can cut. */
import { AppError } from '../domain/errors.ts';
import { formatSocketAddress, type SocketAddress } from '../domain/socket-address.ts';
import type { LedgerNetwork, LineHandler, LineLink } from './ledger-link.ts';

export interface FakeLedgerNetwork extends LedgerNetwork {
  /** Ends every connection; what was on its way is lost. */
  cut(): void;
  /** Nobody can connect while it is down; connections that exist are cut. */
  setDown(isDown: boolean): void;
  /** Lets lines vanish without a word (a silent partition): asked for each line, true drops it. */
  dropWhen(decide: (line: string) => boolean): void;
}

interface End {
  handler: LineHandler | undefined;
  isOpen: boolean;
  other: End | undefined;
}

/** Creates a network for tests. */
export function createFakeLedgerNetwork(): FakeLedgerNetwork {
  const servers = new Map<string, (link: LineLink) => LineHandler>();
  const ends = new Set<End>();
  let isDown = false;
  let isDropped: (line: string) => boolean = () => false;
  let nextPort = 1;

  const closeEnd = (end: End): void => {
    for (const each of [end, end.other]) {
      if (each?.isOpen !== true) continue;
      each.isOpen = false;
      ends.delete(each);
      queueMicrotask(() => each.handler?.closed());
    }
  };
  const linkOf = (end: End, peer: string): LineLink => ({
    peer,
    send: (line) => {
      const target = end.other;
      if (!end.isOpen || isDropped(line)) return;
      queueMicrotask(() => {
        if (target?.isOpen === true) target.handler?.line(line);
      });
    },
    close: () => closeEnd(end),
  });
  const cut = (): void => {
    for (const end of [...ends]) closeEnd(end);
  };

  return {
    listen: async (address, accept) => {
      const port = address.port === 0 ? nextPort++ : address.port;
      const key = formatSocketAddress({ host: address.host, port });
      if (servers.has(key)) throw new AppError('precondition', `cannot listen at ${key}`, { reason: 'CannotListen' });
      servers.set(key, accept);
      return {
        address: { host: address.host, port },
        close: async () => {
          servers.delete(key);
          cut();
        },
      };
    },
    connect: async (address: SocketAddress, handler, options) => {
      if (options.signal?.aborted === true) throw new AppError('cancelled', 'connecting was cancelled');
      const key = formatSocketAddress(address);
      const accept = isDown ? undefined : servers.get(key);
      if (accept === undefined) throw new AppError('unavailable', `nobody answers at ${key}`);
      const near: End = { handler, isOpen: true, other: undefined };
      const far: End = { handler: undefined, isOpen: true, other: near };
      near.other = far;
      ends.add(near).add(far);
      far.handler = accept(linkOf(far, 'a fake writer'));
      return linkOf(near, key);
    },
    cut,
    setDown: (next) => {
      isDown = next;
      if (next) cut();
    },
    dropWhen: (decide) => {
      isDropped = decide;
    },
  };
}
