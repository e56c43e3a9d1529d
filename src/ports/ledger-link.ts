/** Lines of text between two processes, over a network that may fail at any moment. For the ledger and its writers. */
import type { SocketAddress } from '../domain/socket-address.ts';

/** One end of a connection. */
export interface LineLink {
  /** Address of the other end, for messages. */
  readonly peer: string;
  /** Sends a line (without newline). Says nothing about its arrival; after the link closed it does nothing. */
  send(line: string): void;
  /** Ends the connection; the handler's `closed` follows. */
  close(): void;
}

/** What an end does with what comes in. */
export interface LineHandler {
  line(text: string): void;
  /** Called once, when the connection has ended for whatever reason. */
  closed(): void;
}

export interface LineServer {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: SocketAddress;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** A line longer than this ends its connection: the other side does not speak our language. */
export const MAX_LINK_LINE_BYTES = 4096;

export interface LedgerNetwork {
  /** @throws {AppError} precondition when the address is taken or not of this machine; denied */
  listen(address: SocketAddress, accept: (link: LineLink) => LineHandler): Promise<LineServer>;
  /** @throws {AppError} unavailable when nobody answers within `timeoutMs`; cancelled when the signal aborts first */
  connect(
    address: SocketAddress,
    handler: LineHandler,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<LineLink>;
}
