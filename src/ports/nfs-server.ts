/**
 * The NFS server of a node: serves volumes to machines that are no nodes. Declarative: it is told all that it is to serve,
 * makes that so, and says what it sees. Safe to repeat after a crash at any line.
 */
import type { ServedExport } from '../domain/nfs-export/served-export.ts';

export interface ExportLook {
  readonly path: string;
  /**
   * Copies that the server is connected to, and surely by one view of the volume alone: while it changes over to another,
   * none counts.
   */
  readonly connectedCopies: number;
  /** Copies that the engine serves the volume from, as far as it can be seen. */
  readonly copies: number;
  /** Why it is not served; undefined when it is. */
  readonly message?: string;
}

export interface NfsServer {
  /**
   * Serves exactly these exports; with none the server ends. Clients of the others go on undisturbed.
   *
   * @returns what each of them is like now, in the same order
   * @throws {AppError} precondition, where the server is not installed or its port is taken; unavailable, when it ends again
   *   and again
   */
  serve(exports: readonly ServedExport[], signal: AbortSignal): Promise<readonly ExportLook[]>;
}
