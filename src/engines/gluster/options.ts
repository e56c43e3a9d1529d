/** Options that every volume gets before its first start. Reasons and measurements: docs/adr and the README here. */
import type { DesiredVolume } from '../../ports/engine.ts';
import type { VolumeProfile } from '../../schemas/volume.ts';
import { isDispersed, isRedundant } from './brick-sets.ts';

/** A client notices a silent server after this many seconds (twice that at worst). 42 by default. */
const PING_TIMEOUT = { 'network.ping-timeout': '5' } as const;

/**
 * A brick notices a client without power after so many seconds and lets go of the client's locks, which nobody else gets
 * past until then: with the default of 42 a file that a lost node was writing could be written elsewhere after 42.6 s,
 * with these after 10.6 s (3 copies, measured with GlusterFS 10.3). Not sooner than the client gives up the brick, which
 * is twice its ping-timeout at worst. Connections that exist keep what they were opened with.
 */
const CLIENT_TIMEOUT = {
  'server.tcp-user-timeout': '10',
  'server.keepalive-time': '5',
  'server.keepalive-interval': '1',
} as const;

const EVERY_LAYOUT = { ...PING_TIMEOUT, ...CLIENT_TIMEOUT } as const;

/**
 * GlusterFS notes the names of files in attributes of theirs (trusted.gfid2path.*), which no file system encrypts: the name of a
 * file was found on the raw brick (10.3). Without them, what is to heal may be listed by its ID instead of its path.
 */
const ENCRYPTED = { 'storage.gfid2path': 'off' } as const;

const REDUNDANT = {
  /** Nodes cut off from most of the pool stop their bricks and take no configuration change. */
  'cluster.server-quorum-type': 'server',
} as const;

const REPLICATED = {
  ...REDUNDANT,
  /** Seconds between looks for entries to heal; 600 by default, and a heal after a reconnect can be missed once. */
  'cluster.heal-timeout': '30',
  /** Writes need more than half of the copies, so two halves can never both go on. */
  'cluster.quorum-type': 'auto',
  /**
   * Seconds that the last step of a write is put off in case another comes. That a copy was away is noted on the others in
   * that step: with the default of 1 it can come long after the write was acknowledged, and not at all when the next copy
   * falls before. Nobody blames the first one then, and a heal may take it for the source (10.3; docs/adr/0038).
   */
  'cluster.post-op-delay-secs': '0',
  /** Never picks a loser by itself when copies differ. */
  'cluster.favorite-child-policy': 'none',
} as const;

/** Two copies that were allowed to diverge: each goes on alone, whatever became of the other and of the pool. */
const DIVERGING = {
  ...REPLICATED,
  'cluster.server-quorum-type': 'none',
  // With one, GlusterFS also hides what has diverged: ENOTCONN and "to heal", where without it is EIO and split-brain (10.3).
  'cluster.quorum-type': 'none',
} as const;

const DISPERSED = {
  ...REDUNDANT,
  /** The least that it takes: "'30' in 'option heal-timeout 30' is out of range [60 - 2147483647]" (GlusterFS 10.3). */
  'cluster.heal-timeout': '60',
} as const;

interface ProfileOptions {
  /** Of the volume. */
  readonly volume: Readonly<Record<string, string>>;
  /** Of each mount; FUSE keeps what it was mounted with. */
  readonly mount: readonly string[];
}

const PROFILES: Readonly<Record<VolumeProfile, ProfileOptions>> = {
  // O_DIRECT is what it says from the program down to the copies; write-behind stays, which an fsync empties.
  database: {
    volume: { 'performance.strict-o-direct': 'on', 'network.remote-dio': 'disable' },
    mount: [],
  },
  /**
   * Each part is needed: without stat-prefetch off or the timeouts of 0, a client goes on showing what it remembers for up to
   * a second, and without auto-invalidation for ever where the new content is as long as the old. With all three it was
   * right at once in 10 of 10 tries of either kind (GlusterFS 10.3).
   */
  shared: {
    volume: { 'performance.stat-prefetch': 'off' },
    mount: ['acl', 'attribute-timeout=0', 'entry-timeout=0', 'auto-invalidation=on'],
  },
  // Its pieces are an option of the volume's creation: DesiredVolume.shardBytes.
  'large-files': { volume: {}, mount: [] },
};

/** Options that are some profile's: on a volume of another profile they are reset. */
const PROFILE_KEYS: readonly string[] = Object.values(PROFILES).flatMap(({ volume }) => Object.keys(volume));
const PROFILE_MOUNT_OPTIONS: readonly string[] = Object.values(PROFILES).flatMap(({ mount }) => mount);

type Profiled = Pick<DesiredVolume, 'profile' | 'options' | 'adopted'>;

function profileOptions({ profile }: Profiled): ProfileOptions['volume'] {
  return profile === undefined ? {} : PROFILES[profile].volume;
}

/** Options that another profile has left on a volume. */
export function surplusOptions(volume: Profiled, found: Readonly<Record<string, string>>): readonly string[] {
  // They are those of whoever made the volume: nobody asked for a profile yet.
  if (keepsOptions(volume) && volume.profile === undefined) return [];
  const wanted = { ...profileOptions(volume), ...volume.options };
  return PROFILE_KEYS.filter((key) => found[key] !== undefined && wanted[key] === undefined);
}

/** Whether the options of the volume's profile hold, and no other profile's. */
export function hasProfile(volume: Profiled, found: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries({ ...profileOptions(volume), ...volume.options });
  const isSet = wanted.every(([key, value]) => !PROFILE_KEYS.includes(key) || found[key] === value);
  return isSet && surplusOptions(volume, found).length === 0;
}

/** An adopted volume has the options that whoever made it gave it, until a person wants Holdfast's. */
function keepsOptions({ adopted }: Pick<DesiredVolume, 'adopted'>): boolean {
  return adopted !== undefined && !adopted.takesOptions;
}

/** Options of Holdfast's own volumes that an adopted one does not have; none of any other. */
export function lackingOptions(
  volume: Pick<DesiredVolume, 'layout' | 'mayDiverge' | 'adopted'>,
  found: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (volume.adopted === undefined) return {};
  const own = Object.entries({ ...EVERY_LAYOUT, ...layoutOptions(volume) });
  return Object.fromEntries(own.filter(([key, value]) => found[key] !== value));
}

/** What a mount of a volume of the profile is mounted with. */
export function mountOptions(profile: VolumeProfile | undefined): readonly string[] {
  return profile === undefined ? [] : PROFILES[profile].mount;
}

/**
 * Whether a mount has the options of the profile, and none of another's.
 *
 * @param given - the options that it was mounted with, among others
 */
export function hasMountOptions(profile: VolumeProfile | undefined, given: readonly string[]): boolean {
  const wanted = mountOptions(profile);
  return PROFILE_MOUNT_OPTIONS.every((option) => wanted.includes(option) === given.includes(option));
}

/**
 * The options that must hold on a volume: the engine's own, overridden by those asked for.
 *
 * Layouts without redundancy get no quorum: a copy must stay usable while its node lives, however few others do. A
 * dispersed set has its own, of fragments, which cannot be turned off; options of replication do not apply to it.
 */
export function wantedOptions(
  volume: Pick<DesiredVolume, 'layout' | 'mayDiverge' | 'profile' | 'options' | 'adopted' | 'isEncrypted'>,
): Readonly<Record<string, string>> {
  if (keepsOptions(volume)) return { ...profileOptions(volume), ...volume.options };
  const hiding = volume.isEncrypted === true ? ENCRYPTED : {};
  return { ...EVERY_LAYOUT, ...layoutOptions(volume), ...profileOptions(volume), ...hiding, ...volume.options };
}

function layoutOptions({
  layout,
  mayDiverge,
}: Pick<DesiredVolume, 'layout' | 'mayDiverge'>): Readonly<Record<string, string>> {
  if (!isRedundant(layout)) return {};
  if (mayDiverge === true) return DIVERGING;
  return isDispersed(layout) ? DISPERSED : REPLICATED;
}

/**
 * Options that may only be set before a volume has data: files written whole are read as one piece, and pieces as whole
 * files, once shard is turned on or off.
 */
export function creationOptions({ shardBytes }: Pick<DesiredVolume, 'shardBytes'>): Readonly<Record<string, string>> {
  if (shardBytes === undefined) return {};
  return { 'features.shard': 'on', 'features.shard-block-size': String(shardBytes) };
}
