/** The lab: several hosts on this machine, made of namespaces, disk images and a private network. */
import type { LabHostRecord, LabRecord } from '../schemas/lab-record.ts';
import type { MachineHost, ProcessId } from './host.ts';

/** Where a lab host finds the Holdfast package; read-only. */
export const LAB_PACKAGE_FOLDER = '/opt/holdfast/package';
/** Where a lab host finds the Node that runs it; read-only. */
export const LAB_NODE = '/opt/holdfast/node';
/** Device node of a host's data disk. The lab never formats it: that is up to who uses it. */
export const LAB_DATA_DISK = '/run/disks/vdb';

/** A host that has just been powered on. */
export interface BootedHost {
  readonly init: ProcessId;
  readonly bootId: string;
}

/**
 * What hosts are made of and what can be done to them. Everything is safe to repeat: whatever an earlier, interrupted
 * call left is found by fact (process marks, backing files, interface names), not by what somebody wrote down in time.
 */
export interface LabHardware {
  /** What this machine lacks for a lab, one sentence each; empty when nothing. Changes nothing. */
  missing(): Promise<readonly string[]>;
  /** Networks that addresses and routes of this machine are in, such as "10.91.1.0/24". */
  networksInUse(): Promise<readonly string[]>;
  /**
   * Starts the lab's switch and leads this machine's interface into it.
   *
   * @throws {AppError} conflict NetworkTaken, when somebody else has taken the network since it was chosen
   */
  startNetwork(lab: LabRecord): Promise<ProcessId>;
  /** Powers a host on: disks (made when missing), namespaces, file systems, network. Nothing runs in it yet. */
  boot(lab: LabRecord, host: LabHostRecord): Promise<BootedHost>;
  /** Ends a host at once, as pulling the power cord does, and returns when nothing of it holds its disks any more. */
  powerOff(lab: LabRecord, host: LabHostRecord): Promise<void>;
  /** As {@link LabHardware.powerOff}, and what was not synced to the disks is lost. */
  powerCut(lab: LabRecord, host: LabHostRecord): Promise<void>;
  setCable(lab: LabRecord, host: LabHostRecord, isPlugged: boolean): Promise<void>;
  /** Throws the disks of a host that is off away. */
  wipe(lab: LabRecord, host: LabHostRecord): Promise<void>;
  /** Removes all there is of a lab but its record, whatever state it is in. */
  clear(lab: LabRecord): Promise<void>;
  /** A host of the lab, on which commands run and files are read; fails with `unavailable` while it is off. */
  host(lab: LabRecord, name: string, init: () => Promise<ProcessId | undefined>): MachineHost;
  /** Log file on this machine of a process in a host. */
  logFile(lab: LabRecord, host: string, process: string): string;
  /** The environment that marks a process as part of a host. */
  markOf(lab: LabRecord, host: string): Readonly<Record<string, string>>;
}

/** Where the records of the labs of this machine are. */
export interface LabStore {
  /** Names of all labs, those that were interrupted while being made or removed among them. */
  list(): Promise<readonly string[]>;
  /** Undefined when there is no such lab, or it was interrupted before it had a record. */
  read(name: string): Promise<LabRecord | undefined>;
  /** While `act` runs nobody else on this machine changes any record. @throws {AppError} timeout */
  locked<T>(act: (records: LockedRecords) => Promise<T>): Promise<T>;
}

export interface LockedRecords {
  write(record: LabRecord): Promise<void>;
  /** Removes the record and the folder of a lab; no error when there is none. */
  remove(name: string): Promise<void>;
}
