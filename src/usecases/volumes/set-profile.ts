/** Changes what a volume is used for, while it is in use. */
import { AppError } from '../../domain/errors.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { stateMessage } from '../../domain/volume/describe-volume.ts';
import { engineFaults } from '../../domain/volume/engines.ts';
import { type ProfileName, pieceBytes, profileOf } from '../../domain/volume/profile.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeSpec } from '../../schemas/volume.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findVolume } from './read-volumes.ts';

export interface SetProfileOptions {
  /** Says what would change, and changes nothing. */
  readonly isDryRun?: boolean;
  /** Waits this long until the options hold in the engine; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export interface ProfileChange {
  readonly name: string;
  readonly from: ProfileName;
  readonly to: ProfileName;
  /** Mounts that keep the options they were mounted with. */
  readonly oldMounts: readonly { readonly node: string; readonly path: string }[];
  readonly isDryRun: boolean;
  /** The options of the profile were seen to hold in the engine. */
  readonly isDone: boolean;
}

/**
 * Sets the profile of a volume. Repeated with the same profile it waits for what was begun.
 *
 * @throws {AppError} precondition, for large-files of a volume without it, or the other way round; timeout; cancelled
 */
export async function setProfile(
  deps: WaitDeps,
  { name, profile }: { readonly name: string; readonly profile: ProfileName },
  options: SetProfileOptions = {},
): Promise<ProfileChange> {
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  const volume = await findVolume({ client: deps.client, ...scope }, name);
  const wanted = profile === 'none' ? undefined : profile;
  assertOffered(volume, wanted);
  assertReadable(volume, profile);
  const from = profileOf(volume.spec);
  const change = { name, from, to: profile, isDryRun: options.isDryRun ?? false, isDone: false };
  if (change.isDryRun) return { ...change, oldMounts: await findOldMounts(deps, { name, from, to: profile }, scope) };
  if (from !== profile) {
    const { uid } = volume.metadata;
    await deps.client.patch('Volume', name, { spec: { profile: wanted ?? null } }, { uid, ...scope });
  }
  if (options.waitMs === undefined || volume.status?.placement === undefined) return { ...change, oldMounts: [] };
  await waitUntilSet(deps, volume, { ...scope, profile, waitMs: options.waitMs });
  return { ...change, isDone: true, oldMounts: await findOldMounts(deps, { name, from, to: profile }, scope) };
}

/** @throws {AppError} invalid, as the API would refuse it; said in a dry run too */
function assertOffered({ metadata, spec }: Resource<'Volume'>, profile: VolumeSpec['profile']): void {
  const fault = engineFaults({ ...spec, profile }).find(({ field }) => field === 'profile');
  if (fault === undefined) return;
  throw new AppError('invalid', `volume ${metadata.name}: profile ${fault.message}`, {
    resource: `volume ${metadata.name}`,
    reason: 'EngineMismatch',
  });
}

function assertReadable({ metadata, spec, status }: Resource<'Volume'>, to: ProfileName): void {
  if (status?.placement === undefined) return;
  const wanted = to === 'none' ? {} : { profile: to };
  const shard = spec.shard === undefined ? {} : { shard: spec.shard };
  if (pieceBytes(spec) === pieceBytes({ ...shard, ...wanted })) return;
  const [message, hint] =
    to === 'large-files'
      ? ['keeps its files whole', 'add a volume with --profile large-files and copy the data']
      : ['keeps its files in pieces, which could not be read any more', 'add a volume without it and copy the data'];
  throw new AppError(
    'precondition',
    `volume ${metadata.name} ${message}: large-files holds from its creation on, or not at all`,
    {
      resource: `volume ${metadata.name}`,
      reason: 'ProfileFixed',
      hint,
    },
  );
}

/** A mount says itself which profile's options it has; one that has not said it yet may be old. */
async function findOldMounts(
  { client }: WaitDeps,
  { name, from, to }: { readonly name: string; readonly from: ProfileName; readonly to: ProfileName },
  scope: { readonly signal?: AbortSignal },
): Promise<ProfileChange['oldMounts']> {
  // Only what is shared asks something of its mounts.
  if (from === to || (from !== 'shared' && to !== 'shared')) return [];
  const { items } = await client.list('VolumeAttachmentRecord', scope);
  return (
    items
      // An export takes on the volume's options by itself, and keeps nothing of files that others may change.
      .filter((record) => !isExport(record))
      .filter(({ spec, status }) => spec.volume === name && status?.state === 'Mounted' && status.profile !== to)
      .map(({ spec }) => ({ node: spec.node, path: spec.mountPath }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1))
  );
}

async function waitUntilSet(
  deps: WaitDeps,
  volume: Resource<'Volume'>,
  {
    profile,
    waitMs,
    signal,
  }: { readonly profile: ProfileName; readonly waitMs: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { name, uid } = volume.metadata;
  await waitForObject(deps, {
    kind: 'Volume',
    name,
    timeoutMs: waitMs,
    ...(signal === undefined ? {} : { signal }),
    check: (seen) => {
      if (seen?.metadata.uid === uid) return seen.status?.engine?.profile === profile ? true : undefined;
      throw new AppError('notFound', `volume ${name} was deleted meanwhile`, { resource: `volume ${name}` });
    },
    describeTimeout: (seen) =>
      new AppError(
        'timeout',
        `the options of profile ${profile} do not hold on volume ${name} after ${waitMs / 1000} s: ` +
          `${seen === undefined ? 'it was not seen' : (seen.status?.engine?.message ?? stateMessage(seen))}`,
        {
          resource: `volume ${name}`,
          reason: 'NotSetInTime',
          hint: `it goes on by itself; see: holdfast explain volume ${name}`,
        },
      ),
  });
}
