/** How a host command failed, for callers that tell "not installed" from "said no" from "hung". */
import { AppError, type ErrorKind } from '../domain/errors.ts';

/** `spawn`: could not start. `exit`: another exit code than allowed. `signal`: killed by somebody else. */
export type RunFailure = 'spawn' | 'exit' | 'signal' | 'timeout' | 'aborted' | 'output-too-large';

const KINDS: Readonly<Record<RunFailure, ErrorKind>> = {
  spawn: 'precondition',
  exit: 'unavailable',
  signal: 'unavailable',
  timeout: 'timeout',
  aborted: 'cancelled',
  'output-too-large': 'internal',
};

export interface RunErrorDetails {
  readonly failure: RunFailure;
  /** Program name, as it was asked for. */
  readonly file: string;
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly reason?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A host command that did not succeed; the message has the program, its exit code and its last line of stderr. */
export class RunError extends AppError {
  readonly failure: RunFailure;
  readonly file: string;
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(message: string, details: RunErrorDetails) {
    super(KINDS[details.failure], message, {
      reason: details.reason ?? 'CommandFailed',
      ...(details.hint === undefined ? {} : { hint: details.hint }),
      cause: details.cause,
    });
    this.name = 'RunError';
    this.failure = details.failure;
    this.file = details.file;
    this.code = details.code;
    this.stdout = details.stdout ?? '';
    this.stderr = details.stderr ?? '';
  }
}

/** True for a {@link RunError}, of the given failure if one is named. */
export function isRunError(error: unknown, failure?: RunFailure): error is RunError {
  return error instanceof RunError && (failure === undefined || error.failure === failure);
}
