/** A machine that is reached over a network, for whoever installs it. */
import type { Host, HostProcesses } from './host.ts';

export interface RemoteHost extends Host {
  /** Who logs in; commands run as root all the same. */
  readonly user: string;
  readonly processes: HostProcesses;
  /** Connects. @throws {AppError} unavailable or denied, with what to try */
  open(signal: AbortSignal): Promise<void>;
  /** Copies files and folders of this machine into a folder there that the login user can write. */
  upload(
    paths: readonly string[],
    folder: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /**
   * Replaces a small text file if it holds exactly what was seen; "" is a file that is not there, before and after. Of several
   * callers with the same look one succeeds.
   */
  swapText(path: string, seen: string, text: string): Promise<Swap>;
  /** Lets go of the connection; no error when there is none. */
  close(): Promise<void>;
}

/** Whether a file was replaced; else what it holds now, "" when it is not there. */
export type Swap = { readonly isDone: true } | { readonly isDone: false; readonly now: string };
