/**
 * The NFS server of a node: serves volumes to machines that are no nodes. Declarative: it is told all that it is to serve,
 * makes that so, and says what it sees. Safe to repeat after a crash at any line.
 */
import type { EngineVolumeName } from '../domain/names.ts';
import type { Squash } from '../domain/nfs-export/names.ts';

export interface ServedExport {
  /** In every file handle of its clients. */
  readonly id: number;
  readonly volume: EngineVolumeName;
  /** Copies that the volume is made of; where another number is seen, it is looked at again soon. */
  readonly copies: number;
  /** What clients mount; one path segment. */
  readonly path: string;
  /** IPv4 addresses and networks; everybody else is refused. */
  readonly clients: readonly string[];
  readonly isReadOnly: boolean;
  readonly squash: Squash;
}

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
