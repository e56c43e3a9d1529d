/**
 * A machine that Holdfast acts on: this one, or a host of the lab. Everything that touches a host goes through here,
 * so one place decides on argv, timeouts and process groups, and tests can make any single command fail.
 */

export interface Command {
  /** Program name, looked up in the fixed PATH of the runner, or an absolute path. */
  readonly file: string;
  /** Arguments as they reach the program; put `--` before text that comes from a user. Never a shell string. */
  readonly args: readonly string[];
  /** After this many milliseconds the whole process group is killed. */
  readonly timeoutMs: number;
  /** Written to standard input, which is then closed. The place for secrets. */
  readonly stdin?: string;
  /** Output beyond this (stdout and stderr each) kills the command. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Exit codes that count as success. Default [0]. */
  readonly okCodes?: readonly number[];
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  /** Added to the runner's fixed environment (PATH, LC_ALL=C). */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** A process that goes on after the call; known by pid and start time, so a reused pid is never mistaken for it. */
export interface ProcessId {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot when the process began. */
  readonly startTicks: number;
}

/** A process to start and leave running. */
export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  /** Standard output and standard error are appended here; standard input is empty. */
  readonly logFile: string;
  readonly cwd?: string;
  /** Added to the runner's fixed environment (PATH, LC_ALL=C). */
  readonly env?: Readonly<Record<string, string>>;
}

export interface HostProcesses {
  /** The process that asks. */
  self(): Promise<ProcessId>;
  /** Starts a process in a session of its own; it outlives the caller. @throws {RunError} when it cannot start */
  start(request: ProcessRequest): Promise<ProcessId>;
  isAlive(id: ProcessId): Promise<boolean>;
  /**
   * Ends a process and the group it leads: SIGTERM, and after `graceMs` SIGKILL (at once for 0). No error when it is gone.
   *
   * @throws {AppError} timeout, when the kernel does not let go of it
   */
  stop(id: ProcessId, options: { readonly graceMs: number }): Promise<void>;
}

export interface FileInfo {
  readonly type: 'file' | 'directory' | 'symlink' | 'device' | 'other';
  readonly sizeBytes: number;
  readonly mode: number;
  readonly deviceId: number;
  readonly inode: number;
}

export interface FileSystemUsage {
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

export interface HostFiles {
  /** @throws {AppError} notFound when the file is missing */
  readText(path: string): Promise<string>;
  /** Reads up to `length` bytes from `offset`; shorter at the end of the file. */
  readBytes(path: string, offset: number, length: number): Promise<Uint8Array>;
  /** Replaces the file in one step (write beside it, fsync, rename, fsync of the folder). Default mode 0644. */
  writeText(path: string, text: string, options?: { readonly mode?: number }): Promise<void>;
  /** Creates the folder and its parents; no error when it exists. */
  makeDirectory(path: string, options?: { readonly mode?: number }): Promise<void>;
  /** Removes one file, symlink or empty folder; no error when it is missing. */
  remove(path: string): Promise<void>;
  /** Without following a symlink; undefined when nothing is there. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** Names in a folder, sorted; empty when the folder is missing. */
  list(path: string): Promise<readonly string[]>;
  usage(path: string): Promise<FileSystemUsage>;
}

export interface MountEntry {
  /** Device or remote, as in /proc/self/mountinfo: /dev/loop3, kube1:/gv0. */
  readonly source: string;
  readonly target: string;
  readonly fsType: string;
  readonly options: readonly string[];
  /** Folder of the file system that is mounted: another than / for a bind mount. / when left out. */
  readonly root?: string;
}

export interface MountRequest {
  readonly source: string;
  readonly target: string;
  readonly fsType?: string;
  readonly options?: readonly string[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface HostMounts {
  list(): Promise<readonly MountEntry[]>;
  /** Mounts and then checks the mount table: some helpers (mount.glusterfs) return 0 for a refused mount. */
  mount(request: MountRequest): Promise<void>;
  /** No error when nothing is mounted there. `lazy` detaches a mount that hangs (umount -l). */
  unmount(target: string, options: { readonly lazy?: boolean; readonly timeoutMs: number }): Promise<void>;
}

export interface Host {
  /** For messages: "this machine", "kube1". */
  readonly name: string;
  /**
   * Runs a command to its end.
   *
   * @throws {RunError} when it cannot start, exits with another code, is killed, times out, is aborted or prints too much
   */
  run(command: Command): Promise<CommandResult>;
  readonly files: HostFiles;
  readonly mounts: HostMounts;
}

/** A host on which long-lived processes can be started too. */
export interface MachineHost extends Host {
  readonly processes: HostProcesses;
  /**
   * Runs a command on the caller's own terminal (stdin, stdout and stderr are passed on) and returns its exit code;
   * 128 + n when signal n ended it.
   *
   * @throws {RunError} when it cannot start
   */
  runAttached(command: AttachedCommand): Promise<number>;
}

export interface AttachedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}
