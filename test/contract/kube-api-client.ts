/** A bare HTTPS client for tests of the API server: what is on the wire, with no library between. */
import { readFileSync } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';

export interface WireAnswer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; fails when it is none. */
  json(): Wire;
}

/** JSON of unknown shape, for tests that look into it. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests assert the shape
export type Wire = any;

export interface WireClient {
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<WireAnswer>;
  /** Lines of a watch as they come; ends when the connection does. Rejects when it is not answered with 200. */
  watch(path: string, headers?: Readonly<Record<string, string>>): AsyncGenerator<Wire>;
  /** The answer to a GET before anything of its body is read. */
  open(path: string): Promise<IncomingMessage>;
  close(): void;
}

/** A client with the identity of a kubeconfig. */
export function createWireClient(kubeconfig: string): WireClient {
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  const decode = (value: string) => Buffer.from(value, 'base64').toString();
  const agent = new Agent({
    keepAlive: true,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  const url = (path: string) => `${cluster.server}${path}`;
  return {
    send: (method, path, body, headers = {}) => send(url(path), { method, agent }, { body, headers }),
    watch: (path, headers = {}) => watch(url(path), { agent, headers }),
    open: (path) => open(url(path), { agent }).then(({ response }) => response),
    close: () => agent.destroy(),
  };
}

interface SentContent {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

function send(url: string, options: RequestOptions, content: SentContent): Promise<WireAnswer> {
  const { body } = content;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const isPatch = options.method === 'PATCH';
  const type = isPatch ? 'application/merge-patch+json' : 'application/json';
  // Node frames the body of a DELETE only when its length is given.
  const framing = text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) };
  const headers = { ...framing, ...content.headers };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, headers }, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers: answered } = response;
        resolve({ code: statusCode, headers: answered, text: received, json: () => JSON.parse(received) });
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

async function open(url: string, options: RequestOptions): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  const sent = request(url, options);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    // Stays for errors after the response, which its readers see as its end.
    sent.on('error', reject);
    sent.end();
  });
  response.on('error', () => undefined);
  return { sent, response };
}

async function* watch(url: string, options: RequestOptions): AsyncGenerator<Wire> {
  const { sent, response } = await open(url, options);
  try {
    if (response.statusCode !== 200) {
      const text = (await response.toArray()).join('');
      throw Object.assign(new Error(`watch answered ${response.statusCode}: ${text}`), { code: response.statusCode });
    }
    const lines = createInterface({ input: response });
    lines.on('error', () => undefined); // A cut connection; the iteration below ends or throws by itself.
    for await (const line of lines) {
      try {
        yield JSON.parse(line);
      } catch {
        return; // The last line of a connection that was cut in its middle.
      }
    }
  } finally {
    sent.destroy();
  }
}
