/** Software of a machine's own package manager. */
import type { NeededProgram } from '../domain/needed-programs.ts';

export interface Packages {
  /** Those of the programs that the machine does not have. Changes nothing. */
  findMissing(needed: readonly NeededProgram[]): Promise<readonly NeededProgram[]>;
  /**
   * Installs the packages of programs that are missing. No service that comes with them is started.
   *
   * @throws {AppError} denied without root, unsupported without the package manager, unavailable when a package cannot be
   * had: nothing was changed then, and the message has the command to run
   */
  install(missing: readonly NeededProgram[], signal?: AbortSignal): Promise<void>;
}
