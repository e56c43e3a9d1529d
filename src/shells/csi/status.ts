/** The one table from the kind of a failure to the status of a CSI call. */
import { Status } from 'nice-grpc';
import { AppError, type ErrorKind } from '../../domain/errors.ts';

const CODES: Readonly<Record<ErrorKind, Status>> = {
  invalid: Status.INVALID_ARGUMENT,
  notFound: Status.NOT_FOUND,
  exists: Status.ALREADY_EXISTS,
  // In CSI ABORTED is the word for "somebody else is at it: ask again".
  conflict: Status.ABORTED,
  precondition: Status.FAILED_PRECONDITION,
  capacity: Status.RESOURCE_EXHAUSTED,
  range: Status.OUT_OF_RANGE,
  unavailable: Status.UNAVAILABLE,
  timeout: Status.DEADLINE_EXCEEDED,
  cancelled: Status.CANCELLED,
  denied: Status.PERMISSION_DENIED,
  unsupported: Status.UNIMPLEMENTED,
  dataLoss: Status.DATA_LOSS,
  internal: Status.INTERNAL,
};

/** What a caller makes of an answer: the way back through the same table. */
export function kindOfStatus(code: Status): ErrorKind {
  const found = Object.entries(CODES).find(([, each]) => each === code)?.[0];
  return isErrorKind(found) ? found : 'internal';
}

function isErrorKind(word: string | undefined): word is ErrorKind {
  return word !== undefined && Object.hasOwn(CODES, word);
}

/** Faults that are shown; the object has them all. */
const MAX_FAULTS = 8;
/** gRPC carries the message in a header, which has a limit. */
const MAX_MESSAGE = 2_000;

export interface CallStatus {
  readonly code: Status;
  readonly message: string;
}

/** What a caller is told of a failure: nothing of the inside where it is a bug of ours. */
export function statusOf(error: unknown): CallStatus {
  if (!(error instanceof AppError)) {
    return { code: Status.INTERNAL, message: 'a mistake in Holdfast; the log of the driver has the details' };
  }
  const faults = error.faults.slice(0, MAX_FAULTS).map(({ field, message }) => `; ${field}: ${message}`);
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  return { code: CODES[error.kind], message: `${error.message}${faults.join('')}${hint}`.slice(0, MAX_MESSAGE) };
}
