/** The one error type of Holdfast: every failure a person or a caller meets carries its kind, object, reason and next step. */

/** What went wrong, in the terms every edge (CLI exit code, HTTP status, gRPC code) maps from in exactly one table. */
export type ErrorKind =
  | 'invalid'
  | 'notFound'
  | 'exists'
  | 'conflict'
  | 'precondition'
  | 'capacity'
  | 'range'
  | 'unavailable'
  | 'timeout'
  | 'cancelled'
  | 'denied'
  | 'unsupported'
  | 'dataLoss'
  | 'internal';

/** One wrong place in an input: a field path, and where the input is a file its line and column (both from 1). */
export interface Fault {
  readonly field: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export interface AppErrorDetails {
  /** The object concerned, as `kind name` ("volume gv0"). */
  readonly resource?: string;
  /** Stable CamelCase word for programs; never holds numbers or names. */
  readonly reason?: string;
  /** The next step for the person who reads it: a command or a change. */
  readonly hint?: string;
  readonly faults?: readonly Fault[];
  readonly cause?: unknown;
}

/**
 * A failure with a kind. The message says what failed, on which object and why; `hint` says what to do next.
 *
 * Thrown at the edges (host, network, files); the pure domain returns unions instead.
 */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly resource: string | undefined;
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  readonly faults: readonly Fault[];

  constructor(kind: ErrorKind, message: string, details: AppErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AppError';
    this.kind = kind;
    this.resource = details.resource;
    this.reason = details.reason;
    this.hint = details.hint;
    this.faults = details.faults ?? [];
  }
}

/** True for an {@link AppError}, of the given kind if one is named. */
export function isAppError(error: unknown, kind?: ErrorKind): error is AppError {
  return error instanceof AppError && (kind === undefined || error.kind === kind);
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
