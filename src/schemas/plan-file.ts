/**
 * The plan file: what a person writes down about machines, shares and volumes. A superset of the storage parts of
 * Kismatic's plan file (apprenda/kismatic, docs/plan-file-reference.md), whose words are kept in the messages.
 */
import { z } from 'zod';
import { MAX_EXPORT_PATH, serverFault } from '../domain/nfs/share.ts';
import { isPlainPath } from '../domain/paths.ts';
import { BRICK_KINDS, ENGINES, FILE_SYSTEM_TYPES } from '../domain/volume/engines.ts';
import { MAX_DISPERSE_DATA, MAX_REPLICAS, MAX_SETS } from '../domain/volume/layout-faults.ts';
import { LAYOUT_WORDS } from '../domain/volume/striped.ts';
import { AbsolutePath, Label, Size } from './common.ts';
import { Adopted, VolumeProfile } from './volume.ts';

const HOST_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const QUALIFIED_NAME = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const ADDRESS_PATTERN = /^(?:\*|\d{1,3})(?:\.(?:\*|\d{1,3})){3}$/;

const HostName = z
  .string()
  .min(1, {
    error: 'Node host field is required; add the name of the machine, for example "host: kube1"',
    abort: true,
  })
  .max(253, 'is longer than 253 characters, the limit for a host name')
  .regex(HOST_NAME, 'is not a host name; use letters, digits, "-" and ".", for example storage1.example.com');

const address = (message: string) => z.union([z.ipv4(), z.ipv6()], { error: message });

const Labels = z.record(
  z.string().regex(QUALIFIED_NAME, 'is not a label key; write [prefix/]name of letters, digits, "-", "_" and "."'),
  z.string().regex(LABEL_VALUE, 'is not a label value; at most 63 letters, digits, "-", "_" and "."'),
);

const Taint = z.strictObject({
  key: z.string().regex(QUALIFIED_NAME, 'is not a taint key'),
  value: z.string().regex(LABEL_VALUE, 'is not a taint value').optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

const PlanPool = z.strictObject({ name: Label, path: AbsolutePath, device: AbsolutePath.optional() });

export const PlanNode = z.strictObject({
  host: HostName,
  ip: address('Invalid IP provided; write an IPv4 or IPv6 address such as 10.91.0.1'),
  internalip: address('Invalid InternalIP provided; write an IPv4 or IPv6 address, or leave it out').optional(),
  labels: Labels.optional(),
  taints: z.array(Taint).max(64).optional(),
  kubelet: z.strictObject({ option_overrides: z.record(z.string(), z.string()).optional() }).optional(),
  zone: Label.optional(),
  pools: z.array(PlanPool).max(64).optional(),
});
export type PlanNode = z.infer<typeof PlanNode>;

const NfsVolume = z.strictObject({
  nfs_host: z
    .string()
    .min(1, {
      error: 'NFS volume host cannot be empty; add the name or address of the file server',
      abort: true,
    })
    .refine(
      (host) => serverFault(host) === undefined,
      'is neither a host name nor an address; write one such as files.example.com',
    ),
  mount_path: z
    .string()
    .min(1, { error: 'NFS volume path cannot be empty; add the exported path', abort: true })
    .max(MAX_EXPORT_PATH, `is longer than ${MAX_EXPORT_PATH} characters`)
    .refine((path) => path.startsWith('/'), {
      error: 'NFS volume path must be absolute; begin it with "/"',
      abort: true,
    })
    .refine(
      (path) => path === '/' || isPlainPath(path),
      'must not hold "..", ".", empty segments or control characters',
    ),
});

/** A client that may mount: an address, whole-octet wildcards (10.10.*.*) or a CIDR. */
export const AllowedAddress = z
  .string()
  .refine(isAllowedAddress, 'is not an allowed address; write 10.10.1.2, 10.10.*.* or 10.10.0.0/16');

function isAllowedAddress(text: string): boolean {
  if (ADDRESS_PATTERN.test(text)) return text.split('.').every((octet) => octet === '*' || Number(octet) <= 255);
  return [z.ipv6(), z.cidrv4(), z.cidrv6()].some((schema) => schema.safeParse(text).success);
}

/** The word all, or names of nodes of this plan. */
const NodeNames = z.union([z.literal('all'), z.array(z.string()).min(1).max(1000)], {
  error: 'must be the word all, or a list of nodes such as [kube1, kube2]',
});

const Mount = z.strictObject({ path: AbsolutePath, nodes: NodeNames });

/** A volume that nodes serve by NFSv4 to machines that are no nodes. */
const PlanExport = z.strictObject({
  nodes: NodeNames,
  /** Who may mount the volume itself when left out. */
  to: z.array(AllowedAddress).min(1).max(256).optional(),
  readOnly: z.boolean().optional(),
  rootSquash: z.boolean().optional(),
  beyondAllowed: z.boolean().optional(),
});
export type PlanExport = z.infer<typeof PlanExport>;

export const PlanVolume = z.strictObject({
  name: Label,
  /** With its unit: a bare number would be gigabytes to Kismatic and bytes to Kubernetes. */
  size: Size,
  /** The striped ones are made with shard, and say so. */
  layout: z.enum(LAYOUT_WORDS).optional(),
  replicas: z.int().min(1).max(MAX_REPLICAS).optional(),
  distribution: z.int().min(1).max(MAX_SETS).optional(),
  disperseData: z.int().min(2).max(MAX_DISPERSE_DATA).optional(),
  redundancy: z
    .int()
    .min(1)
    .max(MAX_DISPERSE_DATA - 1)
    .optional(),
  shard: z
    .union([z.boolean(), z.string().max(20)], { error: 'must be true, false, or a size such as 64Mi' })
    .optional(),
  brick: z.enum(BRICK_KINDS).optional(),
  engine: z.enum(ENGINES).optional(),
  fsType: z.enum(FILE_SYSTEM_TYPES).optional(),
  /** With a key of its own; it cannot be changed later. */
  encryption: z.boolean().optional(),
  /** Reserves no room, and gives back what is deleted; it cannot be changed later. */
  thinProvision: z.boolean().optional(),
  /** Hosts of this plan that copies may be placed on; all when left out. */
  nodes: z.array(z.string()).min(1).max(1000).optional(),
  profile: VolumeProfile.optional(),
  pool: Label.optional(),
  allow: z.array(AllowedAddress).max(256).optional(),
  mount: Mount.optional(),
  export: PlanExport.optional(),
  allowSplitBrain: z.boolean().optional(),
  /** Written by `plan adopt`: takes over a volume that exists. How it is deleted is said when it is. */
  adopted: Adopted.omit({ isRemovedFromEngine: true }).optional(),
});
export type PlanVolume = z.infer<typeof PlanVolume>;

/** What the volumes of a plan have where they do not say it themselves. */
export const PlanDefaults = z.strictObject({
  pool: PlanVolume.shape.pool,
  brick: PlanVolume.shape.brick,
  profile: PlanVolume.shape.profile,
});

/** Who talks to whom. */
export const PlanNetworks = z.strictObject({
  /** The network in which the storage nodes reach each other. */
  storage: z.cidrv4('is no network; write one such as 192.168.7.0/24').optional(),
  /** Who may mount a volume that has no list of its own. */
  clients: z.array(AllowedAddress).max(256).optional(),
});

const SshUser = z.string().regex(/^[a-z_][a-z0-9_.-]{0,31}$/i, 'is not the name of a user of a machine');

/** How `holdfast install` logs in on the machines. Kismatic's cluster.ssh counts where this is left out. */
export const PlanSsh = z.strictObject({
  user: SshUser.optional(),
  key: AbsolutePath.optional(),
  port: z.int().min(1).max(65_535).optional(),
  known_hosts: AbsolutePath.optional(),
});
export type PlanSsh = z.infer<typeof PlanSsh>;

/** Sections of Kismatic's plan file that say how Kubernetes itself is installed; accepted, and not used. */
export const KISMATIC_SECTIONS = [
  'cluster',
  'docker',
  'docker_registry',
  'additional_files',
  'add_ons',
  'features',
  'etcd',
  'master',
  'worker',
  'ingress',
] as const;

const ignored = Object.fromEntries(KISMATIC_SECTIONS.map((name) => [name, z.unknown().optional()])) as Record<
  (typeof KISMATIC_SECTIONS)[number],
  z.ZodOptional<z.ZodUnknown>
>;

export const PlanFile = z.strictObject({
  storage: z
    .strictObject({
      expected_count: z.int().min(0).max(1000).optional(),
      nodes: z.array(PlanNode).max(1000).optional(),
    })
    .optional(),
  nfs: z.strictObject({ nfs_volume: z.array(NfsVolume).max(1000).optional() }).optional(),
  volumes: z.array(PlanVolume).max(20_000).optional(),
  defaults: PlanDefaults.optional(),
  networks: PlanNetworks.optional(),
  ssh: PlanSsh.optional(),
  /** Encryption of storage traffic; left as it is when left out. */
  tls: z.strictObject({ enabled: z.boolean() }).optional(),
  /** Host of this plan that runs the controller; the first one when left out. */
  controller: z.string().min(1).optional(),
  ...ignored,
});
export type PlanFile = z.infer<typeof PlanFile>;
