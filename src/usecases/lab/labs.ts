/** What can be done with labs: for the CLI, the demo, the drills and the engine tests. */
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import type { BootActionInput, LabRecord } from '../../schemas/lab-record.ts';

export interface LabOptions {
  /** Name of the lab: a label. */
  readonly name: string;
  /** Names of its hosts, or their number (kube1, kube2, ...). Default 3. */
  readonly hosts?: number | readonly string[];
  /** Failure domain of hosts, by name. */
  readonly zones?: Readonly<Record<string, string>>;
  /** Size of each host's data disk. Default 4 GiB, sparse. */
  readonly dataDiskBytes?: number;
  /** It outlives the process that made it. Otherwise the next `up` of any lab on this machine removes it once that is dead. */
  readonly isKept?: boolean;
  /** What hosts see at /opt/holdfast (ports/lab.ts); needed to run Holdfast in them. */
  readonly installation?: { readonly packageFolder: string; readonly node: string };
  /** What happens in a host at each power on, the first included. */
  readonly bootActions?: readonly BootActionInput[];
}

export interface DaemonRequest {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface LabHostStatus {
  readonly name: string;
  readonly zone?: string;
  readonly address: string;
  readonly isOn: boolean;
  readonly isPlugged: boolean;
  readonly bootId?: string;
  /** Processes started by {@link Lab.startDaemon} or a boot action, and whether each still runs. */
  readonly daemons: Readonly<Record<string, boolean>>;
}

export interface LabStatus {
  readonly name: string;
  /** `abandoned`: whoever made or removed it has died over it; the next `up` or `down` removes it. */
  readonly state: 'starting' | 'running' | 'removing' | 'abandoned';
  readonly subnet: string;
  /** Address of this machine in the lab. */
  readonly gateway: string;
  readonly isKept: boolean;
  readonly createdAt: string;
  readonly hosts: readonly LabHostStatus[];
}

/** A lab that exists. Each verb returns when it is done; hosts are named as in {@link LabOptions.hosts}. */
export interface Lab {
  readonly name: string;
  /** Address of this machine in the lab: where hosts reach a controller that runs here. */
  readonly gateway: string;
  readonly hostNames: readonly string[];
  addressOf(host: string): string;
  record(): Promise<LabRecord>;
  status(): Promise<LabStatus>;
  /** Commands, files, mounts and processes of a host; survives its restarts, fails with `unavailable` while it is off. */
  host(name: string): MachineHost;
  powerOn(host: string): Promise<void>;
  /** As pulling the power cord, but what the kernel had not written yet is written: disks as after a crash of the system. */
  powerOff(host: string): Promise<void>;
  /** As pulling the power cord: what was not synced is lost. */
  powerCut(host: string): Promise<void>;
  unplug(host: string): Promise<void>;
  plug(host: string): Promise<void>;
  /** Both disks are thrown away and the host starts as a new machine of the same name and address. */
  reinstall(host: string): Promise<void>;
  /** Starts a process in a host, which ends with it; its output goes to the file `logOf` names. */
  startDaemon(host: string, daemon: DaemonRequest): Promise<void>;
  /** Starts a process on this machine that belongs to the lab and ends with it: its controller. */
  startMachineDaemon(daemon: DaemonRequest): Promise<ProcessId>;
  /** Log on this machine of a process started by {@link Lab.startMachineDaemon}. */
  logOfMachineDaemon(daemon: string): string;
  /** SIGTERM, and SIGKILL after `graceMs`; no error when it does not run. */
  stopDaemon(host: string, daemon: string, options: { readonly graceMs: number }): Promise<void>;
  /** Log on this machine of a daemon; it survives the host. */
  logOf(host: string, daemon: string): string;
  /** Adds to what happens at each power on; does not run it now. One of the same name and host is replaced. */
  addBootAction(action: BootActionInput): Promise<void>;
  /** From now on it outlives its owner. */
  keep(): Promise<void>;
  /** Removes everything of the lab and returns when it is gone. */
  down(): Promise<void>;
}

export interface Labs {
  /**
   * Makes a lab and powers its hosts on.
   *
   * @throws {AppError} precondition, with everything the machine lacks; exists, when there is a lab of the name
   */
  up(options: LabOptions, signal?: AbortSignal): Promise<Lab>;
  /** @throws {AppError} notFound */
  open(name: string): Promise<Lab>;
  list(): Promise<readonly LabStatus[]>;
  /** @throws {AppError} notFound, when there is nothing of a lab of the name */
  down(name: string): Promise<void>;
}
