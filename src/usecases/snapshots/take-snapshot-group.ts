/** Takes snapshots of several volumes at one moment: what is in the way for good is found out before anything is stored. */
import { AppError, isAppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import { canBeFrozen, lastingFaults, snapshotFaults } from '../../domain/snapshot/snapshot-faults.ts';
import type { Resource } from '../../ports/resource-client.ts';
import { MAX_GROUP_MEMBERS } from '../../schemas/volume-group-snapshot-record.ts';
import { findVolume } from '../volumes/read-volumes.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { deleteSnapshotGroup } from './delete-snapshot-group.ts';
import type { TakeSnapshotOptions } from './take-snapshot.ts';

export interface SnapshotGroupRequest {
  readonly name: string;
  /** In any order; one that is named twice is one. */
  readonly volumes: readonly string[];
}

export interface TakenGroup {
  readonly name: string;
  readonly phase: string;
  /** Of each volume the name of its snapshot. */
  readonly snapshots: readonly { readonly volume: string; readonly snapshot: string }[];
  readonly takenAt?: string;
  readonly isDryRun: boolean;
}

type StoredGroup = Resource<'VolumeGroupSnapshotRecord'>;
type Members = StoredGroup['spec']['members'];
type Scope = { readonly signal?: AbortSignal };
/** The number of a snapshot has to find room behind it. */
const MAX_NAME = 60;

/**
 * Takes the snapshots. Repeated with the same name it waits for those that were begun; a group that failed is taken anew.
 *
 * @throws {AppError} notFound; invalid; precondition, with the volume and why it can be in no group, or why it failed; exists, when
 *   the name is that of a group of other volumes; timeout; cancelled
 */
export async function takeSnapshotGroup(
  deps: WaitDeps,
  request: SnapshotGroupRequest,
  options: TakeSnapshotOptions = {},
): Promise<TakenGroup> {
  const { waitMs, isDryRun = false } = options;
  const scope: Scope = options.signal === undefined ? {} : { signal: options.signal };
  const name = parseVolumeName(request.name);
  const names = [...new Set(request.volumes)].toSorted();
  assertSize(name, names);
  const existing = await findSame(deps, { name, volumes: names }, options);
  const members = existing?.spec.members ?? (await planMembers(deps, { name, volumes: names }, scope));
  const snapshots = members.map(({ volume, snapshot }) => ({ volume, snapshot }));
  const dry = { name, phase: existing?.status?.phase ?? 'Pending', snapshots };
  if (isDryRun) return { ...dry, isDryRun: true };
  const group = existing ?? (await create(deps, { name, members }, scope));
  if (waitMs === undefined) return { ...dry, isDryRun: false };
  return { ...dry, isDryRun: false, ...takenOf(await waitUntilTaken(deps, group, { ...options, waitMs })) };
}

function takenOf({ status }: StoredGroup): Pick<TakenGroup, 'phase' | 'takenAt'> {
  return { phase: 'Ready', ...(status?.takenAt === undefined ? {} : { takenAt: status.takenAt }) };
}

async function create(
  { client }: WaitDeps,
  { name, members }: { readonly name: string; readonly members: Members },
  scope: Scope,
): Promise<StoredGroup> {
  try {
    return await client.create('VolumeGroupSnapshotRecord', { metadata: { name }, spec: { members } }, scope);
  } catch (error) {
    if (!isAppError(error, 'exists')) throw error;
    throw new AppError('conflict', `group ${name} was begun by another call in this moment`, { hint: 'ask again' });
  }
}

function assertSize(name: string, { length }: readonly string[]): void {
  if (name.length > MAX_NAME) {
    throw new AppError('invalid', `${name} is too long for a group`, { hint: `use at most ${MAX_NAME} characters` });
  }
  if (length >= 1 && length <= MAX_GROUP_MEMBERS) return;
  throw new AppError('invalid', `a group is of 1 to ${MAX_GROUP_MEMBERS} volumes, not of ${length}`, {
    hint: 'more would be held up for too long',
  });
}

async function planMembers(
  { client }: WaitDeps,
  { name, volumes: names }: SnapshotGroupRequest,
  scope: Scope,
): Promise<Members> {
  const volumes: Resource<'Volume'>[] = [];
  for (const each of names) volumes.push(await findVolume({ client, ...scope }, each));
  await assertPossible(client, volumes, scope);
  return volumes.map(({ metadata }, index) => ({
    ...{ volume: metadata.name, volumeUid: metadata.uid, snapshot: `${name}-${index + 1}` },
  }));
}

/**
 * The one that was begun before, also when a volume is gone since. One that failed holds nothing and is removed, since its name
 * is wanted again.
 */
async function findSame(
  deps: WaitDeps,
  { name, volumes }: SnapshotGroupRequest,
  { isDryRun, waitMs, signal, onProgress }: TakeSnapshotOptions,
): Promise<StoredGroup | undefined> {
  const scope: Scope = signal === undefined ? {} : { signal };
  const existing = await deps.client.get('VolumeGroupSnapshotRecord', name, scope);
  if (existing === undefined) return undefined;
  await assertSame(deps, existing, { volumes, scope });
  const { phase, message = 'no reason was given' } = existing.status ?? {};
  if (phase !== 'Failed') return existing;
  if (isDryRun === true) return undefined;
  if (waitMs === undefined) throw failed(name, message);
  onProgress?.(`removes what is left of group ${name}, which failed: ${message}`);
  await deleteSnapshotGroup(deps, name, { waitMs, confirm: async () => true, ...scope });
  return undefined;
}

async function assertSame(
  { client }: WaitDeps,
  { metadata: { name, deletionTimestamp }, spec: { members } }: StoredGroup,
  { volumes, scope }: { readonly volumes: readonly string[]; readonly scope: Scope },
): Promise<void> {
  const refuse = (why: string) =>
    new AppError('exists', `group ${name} ${why}`, { resource: `group ${name}`, hint: 'choose another name' });
  if (deletionTimestamp !== undefined) throw refuse('is being deleted');
  const of = new Set(members.map(({ volume }) => volume));
  if (of.size !== volumes.length || volumes.some((each) => !of.has(each))) {
    throw refuse(`is of other volumes: ${[...of].join(', ')}`);
  }
  for (const { volume, volumeUid } of members) {
    const now = await client.get('Volume', volume, scope);
    if (now !== undefined && now.metadata.uid !== volumeUid) throw refuse(`is of an earlier volume ${volume}`);
  }
}

async function assertPossible(
  client: WaitDeps['client'],
  volumes: readonly Resource<'Volume'>[],
  scope: Scope,
): Promise<void> {
  const refuse = (volume: string, why: string, hint: string) =>
    new AppError('precondition', `volume ${volume} cannot be in a group of snapshots: ${why}`, {
      resource: `volume ${volume}`,
      reason: 'SnapshotGroupRefused',
      hint,
    });
  const [nodes, all, copies, snapshots] = await Promise.all([
    client.list('StorageNode', scope),
    client.list('Volume', scope),
    client.list('VolumeCopy', scope),
    client.list('VolumeSnapshotRecord', scope),
  ]);
  const world = { nodes: nodes.items, volumes: all.items, copies: copies.items, snapshots: snapshots.items };
  let first: { readonly name: string; readonly node: string } | undefined;
  for (const volume of volumes) {
    const { name } = volume.metadata;
    if (!canBeFrozen(volume)) throw refuse(name, whyNot(volume), 'take a snapshot of it alone');
    const [fault] = lastingFaults(snapshotFaults(volume, world));
    if (fault !== undefined) throw refuse(name, fault.message, `see: holdfast volume show ${name}`);
    const node = volume.status?.placement?.[0]?.node ?? '';
    first ??= { name, node };
    if (node !== first.node) {
      const why = `it is on node ${node}, and ${first.name} on ${first.node}; only one node can hold up all writers at once`;
      throw refuse(name, why, 'take a group of the volumes of each node');
    }
  }
}

function whyNot({ spec }: Resource<'Volume'>): string {
  if (spec.engine !== 'local') return `it is of engine ${spec.engine}, and only volumes of engine local can`;
  return spec.brick === 'block'
    ? 'it is a device, which cannot be held still for the others'
    : 'it is a plain folder (brick: directory), which has no snapshots';
}

async function waitUntilTaken(
  deps: WaitDeps,
  { metadata, spec }: StoredGroup,
  options: TakeSnapshotOptions & { readonly waitMs: number },
): Promise<StoredGroup> {
  const { name, uid } = metadata;
  const { waitMs, signal, onProgress } = options;
  const scope: Scope = signal === undefined ? {} : { signal };
  const late = (what: string, message: string | undefined) =>
    new AppError(
      'timeout',
      `${what} is not taken after ${waitMs / 1000} s: ${message ?? 'nobody has looked at it yet'}`,
      {
        resource: `group ${name}`,
        reason: 'NotTakenInTime',
        hint: 'it goes on by itself; see: holdfast volume snapshot list',
      },
    );
  let told: string | undefined;
  const ready = await waitForObject(deps, {
    ...{ kind: 'VolumeGroupSnapshotRecord', name, timeoutMs: waitMs, ...scope },
    check: (seen) => {
      if (seen?.metadata.uid !== uid) throw new AppError('notFound', `group ${name} was deleted meanwhile`);
      const { phase, message } = seen.status ?? {};
      if (phase === 'Ready') return seen;
      if (phase === 'Failed') throw failed(name, message);
      if (message !== undefined && message !== told) onProgress?.(message);
      told = message;
      return undefined;
    },
    describeTimeout: (seen) => late(`group ${name}`, seen?.status?.message),
  });
  // Each follows the group; whoever uses one now is to find it Ready.
  for (const { snapshot } of spec.members) {
    await waitForObject(deps, {
      ...{ kind: 'VolumeSnapshotRecord', name: snapshot, timeoutMs: waitMs, ...scope },
      check: (seen) => {
        if (seen?.spec.group?.uid !== uid) throw new AppError('notFound', `group ${name} was deleted meanwhile`);
        if (seen.status?.phase === 'Failed') throw failed(name, seen.status.message);
        return seen.status?.phase === 'Ready' ? true : undefined;
      },
      describeTimeout: (seen) => late(`snapshot ${snapshot} of group ${name}`, seen?.status?.message),
    });
  }
  return ready;
}

function failed(name: string, message = 'no reason was given'): AppError {
  return new AppError('precondition', `group ${name} failed: ${message}`, {
    resource: `group ${name}`,
    reason: 'SnapshotFailed',
    hint: 'repeat the command when that is mended: it removes what is left and takes another',
  });
}
