/** From what an API server or the network answers to an AppError: the one table of this adapter. */
import { AppError, type ErrorKind, type Fault } from '../../domain/errors.ts';

/** The part of a Kubernetes Status object that is read. */
export interface StatusBody {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly field?: string; readonly message?: string }[];
  };
}

const KIND_BY_CODE: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'notFound',
  405: 'unsupported',
  406: 'unsupported',
  409: 'conflict',
  410: 'conflict',
  412: 'precondition',
  413: 'invalid',
  415: 'unsupported',
  422: 'invalid',
  429: 'unavailable',
  504: 'timeout',
  507: 'capacity',
};

/**
 * The error for an answer that is no success.
 *
 * @param what - the call, for the message: "patch of volumes gv0"
 */
export function errorOfStatus(what: string, httpCode: number, status: StatusBody): AppError {
  const code = status.code ?? httpCode;
  const reason = code === 410 ? 'Expired' : status.reason;
  const resource = [status.details?.kind ?? '', status.details?.name ?? ''].join(' ').trim();
  return new AppError(kindOf(code, reason), `${what}: ${status.message ?? `the API server answered ${code}`}`, {
    ...(reason ? { reason } : {}),
    ...(resource === '' ? {} : { resource }),
    ...(code === 401 ? { hint: 'the credentials of the kubeconfig are not accepted; renew them' } : {}),
    faults: faultsOf(status),
  });
}

function faultsOf(status: StatusBody): Fault[] {
  return (status.details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }));
}

function kindOf(code: number, reason: string | undefined): ErrorKind {
  if (reason === 'AlreadyExists') return 'exists';
  return KIND_BY_CODE[code] ?? (code >= 500 ? 'unavailable' : 'internal');
}

/** The status of an answer: its JSON when it is a Status, else its first words. */
export function readStatus(text: string): StatusBody {
  try {
    const data: unknown = JSON.parse(text);
    if (typeof data === 'object' && data !== null) return data;
  } catch {
    // Not JSON: a proxy or another program answered; its words are shown below.
  }
  const words = text.trim().slice(0, 200);
  return words === '' ? {} : { message: `unexpected answer: ${words}` };
}

/** Codes by which Node says that the server's certificate is not to be trusted. */
const UNTRUSTED = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA)/;

/** The error for a call that got no answer; whether a write took effect is then unknown. */
export function errorOfNetwork(what: string, server: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message }: Partial<NodeJS.ErrnoException> = error instanceof Error ? error : {};
  if (UNTRUSTED.test(code)) {
    return new AppError('denied', `${what}: the certificate of ${server} is not trusted: ${message}`, {
      reason: 'ServerNotTrusted',
      hint: 'use the kubeconfig that belongs to this server; a new one is written whenever the server makes a new CA',
      cause: error,
    });
  }
  if (code.startsWith('ERR_SSL_')) {
    return new AppError('denied', `${what}: ${server} refused the TLS connection: ${message}`, {
      reason: 'ClientNotTrusted',
      hint: 'check the client certificate of the kubeconfig: its CA, and whether it has expired',
      cause: error,
    });
  }
  return new AppError('unavailable', `${what}: ${server} cannot be reached: ${message || code}`, {
    reason: 'NoAnswer',
    hint: `check that the API server runs and that this machine reaches ${server}`,
    cause: error,
  });
}
