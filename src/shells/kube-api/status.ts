/** Failures as Kubernetes Status objects: the one table from kinds of AppError to HTTP. */
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import { KINDS, type KindDefinition } from '../../schemas/kinds.ts';
import type { Target } from './parse-path.ts';

export interface StatusAnswer {
  readonly code: number;
  readonly body: Record<string, unknown>;
}

interface Outcome {
  readonly code: number;
  readonly reason: string;
}

/** By kind, unless the error's reason says more. */
const BY_KIND: Readonly<Record<ErrorKind, Outcome>> = {
  invalid: { code: 400, reason: 'BadRequest' },
  notFound: { code: 404, reason: 'NotFound' },
  exists: { code: 409, reason: 'AlreadyExists' },
  conflict: { code: 409, reason: 'Conflict' },
  precondition: { code: 412, reason: 'PreconditionFailed' },
  capacity: { code: 507, reason: 'InsufficientStorage' },
  range: { code: 416, reason: 'OutOfRange' },
  unavailable: { code: 503, reason: 'ServiceUnavailable' },
  timeout: { code: 504, reason: 'Timeout' },
  cancelled: { code: 499, reason: 'Cancelled' },
  denied: { code: 403, reason: 'Forbidden' },
  unsupported: { code: 501, reason: 'NotImplemented' },
  dataLoss: { code: 500, reason: 'InternalError' },
  internal: { code: 500, reason: 'InternalError' },
};

const BY_REASON: Readonly<Record<string, number>> = {
  Invalid: 422,
  Expired: 410,
  Unauthorized: 401,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
};

/** A metav1.Status of a failure; what is no AppError is a bug and shows no detail. */
export function toStatus(error: unknown, target?: Target): StatusAnswer {
  if (!(error instanceof AppError)) {
    return {
      code: 500,
      body: status({ code: 500, reason: 'InternalError' }, 'internal error; see the log of the server'),
    };
  }
  const special = error.reason === undefined ? undefined : BY_REASON[error.reason];
  const outcome = special === undefined ? BY_KIND[error.kind] : { code: special, reason: error.reason ?? '' };
  const message = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  const causes = error.faults.map((fault) => ({
    reason: 'FieldValueInvalid',
    message: fault.message,
    field: fault.field,
  }));
  const details = { ...targetDetails(target), ...(causes.length > 0 ? { causes } : {}) };
  return { code: outcome.code, body: { ...status(outcome, message), details } };
}

/** The Status that answers a deletion which is done. */
export function deletedStatus(target: Target, uid: string): Record<string, unknown> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...targetDetails(target), uid },
  };
}

/** True for failures that are the server's own fault and belong into its log. */
export function isServerFault(error: unknown): boolean {
  return toStatus(error).code >= 500;
}

function status(outcome: Outcome, message: string): Record<string, unknown> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: outcome.reason,
    code: outcome.code,
  };
}

function targetDetails(target: Target | undefined): Record<string, unknown> {
  if (target === undefined) return {};
  const definition: KindDefinition = KINDS[target.kind];
  return {
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(definition.group === '' ? {} : { group: definition.group }),
    kind: definition.plural,
  };
}
