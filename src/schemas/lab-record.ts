/** lab.json: everything a lab is made of, written before it is made, so that whoever comes later can undo it. */
import { z } from 'zod';
import { Label, NodeNameText } from './common.ts';

export const RecordedProcess = z.object({ pid: z.int().min(1), startTicks: z.int().min(0) });

/** Something that happens in a host each time it is powered on, in the order of the list. */
export const BootAction = z.object({
  name: Label,
  /** `run`: a command that ends, such as one that daemonizes. `daemon`: a process that stays. */
  kind: z.enum(['run', 'daemon']),
  argv: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()).optional(),
  /** For `run`: how long it may take. */
  timeoutMs: z.int().min(1).default(30_000),
  /** Only in this host; in every host when left out. */
  host: NodeNameText.optional(),
});
export type BootAction = z.infer<typeof BootAction>;
export type BootActionInput = z.input<typeof BootAction>;

export const LabHostRecord = z.object({
  name: NodeNameText,
  /** Place in the lab, from 1; the last octet of the address, and the port of the switch. */
  index: z.int().min(1).max(200),
  zone: Label.optional(),
  address: z.ipv4(),
  /** Another one after each reinstallation. */
  machineId: z.string().regex(/^[0-9a-f]{32}$/),
  dataDiskBytes: z.int().min(1),
  isPlugged: z.boolean(),
  /** Its first process; absent while it is off. */
  init: RecordedProcess.optional(),
  /** Of the boot that is running. */
  bootId: z.uuid().optional(),
  daemons: z.record(z.string(), RecordedProcess),
});
export type LabHostRecord = z.infer<typeof LabHostRecord>;

export const LabNetwork = z.object({
  /** N in 10.91.N.0/24. */
  index: z.int().min(1).max(254),
  /** Interface of this machine that leads into the lab; unique on the machine. */
  link: z.string().max(15),
  /** Address of this machine in the lab. */
  gateway: z.ipv4(),
});
export type LabNetwork = z.infer<typeof LabNetwork>;

export const LabRecord = z.object({
  version: z.literal(1),
  name: Label,
  /** In the environment of each process of the lab, so that one that was never recorded is found too. */
  mark: z.uuid(),
  createdAt: z.iso.datetime(),
  phase: z.enum(['starting', 'running', 'removing']),
  /** Who made it, or removes it. */
  owner: RecordedProcess,
  /** It goes on without its owner. */
  isKept: z.boolean(),
  network: LabNetwork,
  /** The process that holds the network namespace of the lab's switch. */
  switch: RecordedProcess.optional(),
  /** What is shown at /opt/holdfast in each host. */
  installation: z.object({ packageFolder: z.string(), node: z.string() }).optional(),
  hosts: z.array(LabHostRecord).min(1),
  /** Processes on this machine that belong to the lab, such as its controller. */
  machineDaemons: z.record(z.string(), RecordedProcess).default({}),
  bootActions: z.array(BootAction),
});
export type LabRecord = z.infer<typeof LabRecord>;
