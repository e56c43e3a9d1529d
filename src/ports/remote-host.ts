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
  /** Lets go of the connection; no error when there is none. */
  close(): Promise<void>;
}
