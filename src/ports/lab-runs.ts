/** The commands that run in a lab with a volume of a claim: their records, and their processes. */
import type { LabRun } from '../schemas/lab-run.ts';

/** In the environment of each process of a run, with its id. */
export const RUN_MARK = 'HOLDFAST_LAB_RUN';

export interface LabRuns {
  /** Those that have not ended, and those whose owner died. */
  list(lab: string): Promise<readonly LabRun[]>;
  write(lab: string, run: LabRun): Promise<void>;
  /** No error when there is none. */
  remove(lab: string, id: string): Promise<void>;
  /**
   * While it is held no other run mounts, unmounts or deletes the volume of that name.
   *
   * @returns gives it back
   * @throws {AppError} timeout
   */
  lock(lab: string, volumeName: string, signal: AbortSignal): Promise<() => void>;
  /** Ends all processes of a run, on this machine and in hosts: SIGTERM, and after `graceMs` SIGKILL. */
  endProcesses(id: string, options: { readonly graceMs: number }): Promise<void>;
}
