/** Turns how a program ended into the error that callers and people get. */
import { RunError, type RunFailure } from '../../ports/run-error.ts';

/** What was asked for. */
export interface DescribedCommand {
  readonly file: string;
  /** How it is named in the message, where that differs from what was started. */
  readonly shownAs?: string;
  readonly timeoutMs?: number;
}

/** What was seen of it. */
export interface Circumstances {
  readonly code?: number;
  readonly signal?: NodeJS.Signals | null;
  readonly stdout?: string;
  readonly stderr?: string;
  /** It was killed and is still there. */
  readonly isStuck?: boolean;
  readonly cause?: unknown;
}

const MAX_QUOTED = 500;

/** The error for a program that did not succeed; its message ends with the last line of what the program said. */
export function describeRunFailure(command: DescribedCommand, failure: RunFailure, seen: Circumstances): RunError {
  const { code, stdout, stderr = '', cause } = seen;
  const stuck = seen.isStuck ? ', and the kernel does not let go of it' : '';
  const what: Readonly<Record<RunFailure, () => string>> = {
    spawn: () => `cannot be started: ${spawnReason(cause)}`,
    exit: () => `failed with exit code ${code}`,
    signal: () => `was ended by ${seen.signal ?? 'a signal'}`,
    timeout: () => `did not finish within ${(command.timeoutMs ?? 0) / 1000} s and was killed${stuck}`,
    aborted: () => `was stopped on request${stuck}`,
    'output-too-large': () => `wrote more than it may and was killed${stuck}`,
  };
  const said = stderr.trim().split('\n').at(-1)?.slice(0, MAX_QUOTED) ?? '';
  const message = `${command.shownAs ?? command.file} ${what[failure]()}${said === '' ? '' : `: ${said}`}`;
  return new RunError(message, {
    failure,
    file: command.file,
    cause,
    stderr,
    ...(code === undefined ? {} : { code }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(isMissing(cause) ? { reason: 'ProgramMissing' } : {}),
  });
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function spawnReason(cause: unknown): string {
  if (isMissing(cause)) return 'it is not installed (or its working folder is missing)';
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
