/** Everything that the adoption of a PersistentVolume depends on, read anew before each step. */
import { ADOPTED_AS_ANNOTATION, type MoveState, SAVED_CLAIM_ANNOTATION } from '../../domain/adopt/claim-move.ts';
import { type OldVolume, readOldVolume } from '../../domain/adopt/old-volume.ts';
import { AppError } from '../../domain/errors.ts';
import { parseVolumeName } from '../../domain/names.ts';
import { phaseOf } from '../../domain/volume/describe-volume.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import { leadsTo } from '../../domain/volume/persistent-volume.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { persistentVolumeInTheWay } from './register-volume.ts';

export interface AdoptionChoice {
  readonly as?: string;
  readonly volume?: string;
  readonly signal: AbortSignal;
}

export interface Adoption {
  readonly old: OldVolume;
  readonly oldUid: string;
  readonly isOldKept: boolean;
  /** Name of the Volume, and of its PersistentVolume. */
  readonly target: string;
  readonly volume: Resource<'Volume'> | undefined;
  readonly offered: Resource<'PersistentVolume'> | undefined;
  readonly claim: Resource<'PersistentVolumeClaim'> | undefined;
}

/** @throws {AppError} notFound; precondition, when it cannot be adopted */
export async function readAdoption(client: ResourceClient, name: string, choice: AdoptionChoice): Promise<Adoption> {
  const { signal } = choice;
  const found = await client.get('PersistentVolume', name, { signal });
  if (found === undefined) throw missing(name);
  const read = readOldVolume(name, found.spec, found.metadata.annotations ?? {});
  if ('reason' in read) throw refusal(name, read.reason, read.hint);
  const old = read.volume;
  const known = found.metadata.annotations?.[ADOPTED_AS_ANNOTATION];
  const target = known ?? (await chooseTarget(client, old, choice));
  const { namespace } = old.claim;
  const [volume, offered, claim] = await Promise.all([
    client.get('Volume', target, { signal }),
    client.get('PersistentVolume', target, { signal }),
    client.get('PersistentVolumeClaim', old.claim.name, { namespace, signal }),
  ]);
  const isOurs = offered?.metadata.annotations?.[SAVED_CLAIM_ANNOTATION] !== undefined && leadsTo(offered, target);
  if (offered !== undefined && !isOurs) throw persistentVolumeInTheWay(offered);
  const isOldKept = known !== undefined && found.spec.persistentVolumeReclaimPolicy === 'Retain';
  const adoption = { old, oldUid: found.metadata.uid, isOldKept, target, volume, offered, claim };
  refuseStrangers(adoption);
  return adoption;
}

/** How far it is. */
export function stateOf({ isOldKept, volume, offered, ...adoption }: Adoption): MoveState {
  return {
    ...{ isOldKept, isOffered: offered !== undefined, claim: claimState(adoption) },
    isVolumeReady: volume === undefined ? undefined : phaseOf(volume) === 'Ready',
  };
}

function claimState({ claim, old, target }: Pick<Adoption, 'claim' | 'old' | 'target'>): MoveState['claim'] {
  if (claim === undefined) return 'none';
  const { volumeName } = claim.spec;
  if (volumeName === old.name) return claim.metadata.deletionTimestamp === undefined ? 'old' : 'going';
  if (volumeName !== target) return 'other';
  return claim.status?.phase === 'Bound' ? 'bound' : 'new';
}

/** A claim that went, or came, without this adoption is nobody's to make or delete. */
function refuseStrangers(adoption: Adoption): void {
  const { old, offered } = adoption;
  const claim = `${old.claim.namespace}/${old.claim.name}`;
  const state = claimState(adoption);
  if (state === 'none' && offered === undefined) {
    throw refusal(
      old.name,
      `its claim ${claim} is gone`,
      'make a claim for it again, or make its data a volume of its own',
    );
  }
  if (state === 'other') {
    throw refusal(
      old.name,
      `the claim ${claim} is another one now`,
      `see: kubectl -n ${old.claim.namespace} describe pvc ${old.claim.name}`,
    );
  }
}

async function chooseTarget(client: ResourceClient, old: OldVolume, choice: AdoptionChoice): Promise<string> {
  const { source } = old;
  if (source.kind === 'nfs') return parseVolumeName(choice.as ?? `${old.name}-holdfast`);
  if (choice.as !== undefined) {
    throw refusal(old.name, 'a volume of GlusterFS has its name from the plan that adopts its pool', 'leave --as out');
  }
  const volumes = (await client.list('Volume', { signal: choice.signal })).items;
  const isMeant = (volume: Resource<'Volume'>) =>
    choice.volume === undefined ? engineNameOf(volume) === source.volume : volume.metadata.name === choice.volume;
  const volume = volumes.find((each) => each.spec.engine === 'gluster' && isMeant(each));
  if (volume === undefined || engineNameOf(volume) !== source.volume) {
    throw refusal(
      old.name,
      `no Volume is the volume ${source.volume} of GlusterFS`,
      'adopt its pool first: docs/how-to/adopt-a-pool.md',
    );
  }
  if (choice.volume === undefined) await checkEndpoints(client, old, choice.signal);
  return volume.metadata.name;
}

/** Volumes of two pools can have one name: the machines that the old one was mounted from have to be nodes. */
async function checkEndpoints(client: ResourceClient, { name, source }: OldVolume, signal: AbortSignal): Promise<void> {
  if (source.kind !== 'glusterfs') return;
  const { endpoints, namespace } = source;
  const labelSelector = `kubernetes.io/service-name=${endpoints}`;
  const [slices, nodes] = await Promise.all([
    client.list('EndpointSlice', { namespace, labelSelector, signal }),
    client.list('StorageNode', { signal }),
  ]);
  const own = new Set(nodes.items.flatMap(({ spec }) => Object.values(spec.addresses ?? {})));
  const asked = slices.items.flatMap((slice) => slice.endpoints.flatMap(({ addresses }) => addresses));
  const stranger = asked.find((address) => !own.has(address));
  if (asked.length > 0 && stranger === undefined) return;
  const why =
    stranger === undefined
      ? `its endpoints ${namespace}/${endpoints} are not there`
      : `${stranger} of its endpoints is no node`;
  throw refusal(name, `${why}, so it is not proven which pool it is of`, 'say which Volume it is: --volume NAME');
}

/** The failure of whoever cannot adopt. */
export function refusal(name: string, reason: string, hint: string): AppError {
  return new AppError('precondition', `PersistentVolume ${name} cannot be adopted: ${reason}; nothing was changed`, {
    ...{ resource: `persistentvolume ${name}`, reason: 'NotAdoptable', hint },
  });
}

function missing(name: string): AppError {
  return new AppError('notFound', `there is no PersistentVolume ${name}`, {
    ...{ resource: `persistentvolume ${name}`, hint: 'see: kubectl get persistentvolumes' },
  });
}
