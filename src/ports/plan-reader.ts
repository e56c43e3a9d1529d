/** Reads plan files for commands; the demo and the CLI take it from their composition root. */
import type { PlanFile } from '../schemas/plan-file.ts';

export interface PlanReader {
  /**
   * Reads and checks a plan.
   *
   * @param path - a file, or "-" for standard input
   * @throws {AppError} invalid, with every fault at its line and column; notFound or denied, when it cannot be read
   */
  read(path: string): Promise<PlanFile>;
}
