/** What the handlers of the API server share, and one request on its way through them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Resources } from '../../usecases/resources/resources.ts';
import type { Identity } from './authorize.ts';
import type { OpenApi } from './openapi.ts';
import type { Target } from './parse-path.ts';

export interface ServerContext {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly openApi: OpenApi;
  readonly version: string;
  /** Milliseconds between the bookmarks of a watch. */
  readonly bookmarkMs: number;
  /** Ends every open watch when the server closes. */
  readonly watches: Set<AbortController>;
  /** Aborted when the server begins to close. */
  readonly closing: AbortController;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** A request for objects, by someone known. */
export interface ResourceExchange extends Exchange {
  readonly target: Target;
  readonly identity: Identity;
}

/** Answers with a value as JSON. */
export function sendJson(exchange: Exchange, code: number, value: unknown, contentType = 'application/json'): void {
  sendText(exchange, code, JSON.stringify(value), contentType);
}

/** Answers with text or bytes that are ready. */
export function sendText(exchange: Exchange, code: number, text: string | Buffer, contentType: string): void {
  const { response } = exchange;
  response.writeHead(code, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
