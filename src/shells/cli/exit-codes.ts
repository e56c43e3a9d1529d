/** The one table from the kind of a failure to the exit code of the CLI. */
import type { ErrorKind } from '../../domain/errors.ts';

/** What the arguments themselves say is wrong, before any command runs. */
export const EXIT_USAGE = 2;

export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  internal: 1,
  invalid: EXIT_USAGE,
  range: EXIT_USAGE,
  unsupported: EXIT_USAGE,
  denied: 3,
  notFound: 4,
  exists: 5,
  conflict: 5,
  precondition: 5,
  capacity: 6,
  unavailable: 7,
  dataLoss: 8,
  timeout: 124,
  cancelled: 130,
};

/** Ends the program with the exit code of another that it ran on the terminal; that one has said what there was to say. */
export class CommandExit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the command ended with exit code ${code}`);
    this.name = 'CommandExit';
    this.code = code;
  }
}
