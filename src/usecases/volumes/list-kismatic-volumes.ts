/** The volumes in the shape of Kismatic's list (apprenda/kismatic, pkg/cli/volume_types.go), for scripts that read it. */
import { parseQuantity } from '../../domain/bytes.ts';
import { kismaticSize } from '../../domain/volume/kismatic-size.ts';
import { CLASS_ANNOTATION, leadsTo } from '../../domain/volume/persistent-volume.ts';
import { replicasOf, setCount } from '../../domain/volume/replica-sets.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { listVolumes } from './read-volumes.ts';

/** What is not known. */
const UNKNOWN = 'Unknown';

/** Fields in Kismatic's order; those that it leaves out when empty are left out here. */
export interface KismaticVolume {
  readonly name: string;
  readonly storageClass?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity: string;
  readonly available: string;
  /** Copies that hold data: an arbiter is a brick, and no replica. */
  readonly replicaCount: number;
  readonly distributionCount: number;
  readonly bricks: readonly { readonly host: string; readonly path: string }[];
  /** Phase of the PersistentVolume. */
  readonly status: string;
  readonly claim?: { readonly name: string; readonly namespace: string };
}

/** All volumes, by name. Pods are not among the kinds that Holdfast reads, so none is listed. */
export async function listKismaticVolumes(deps: {
  readonly client: ResourceClient;
  readonly signal?: AbortSignal;
}): Promise<readonly KismaticVolume[]> {
  const { client, signal } = deps;
  const scope = signal === undefined ? {} : { signal };
  const [volumes, copies, persistentVolumes] = await Promise.all([
    listVolumes(deps),
    client.list('VolumeCopy', scope),
    client.list('PersistentVolume', scope),
  ]);
  return volumes.map((volume) => {
    const { name, uid } = volume.metadata;
    const persistentVolume = persistentVolumes.items.find((each) => each.metadata.name === name && leadsTo(each, name));
    const own = copies.items.filter(({ spec }) => spec.volume === name && spec.volumeUid === uid);
    return { name, ...offerOf(persistentVolume), ...storageOf(volume, own), ...useOf(persistentVolume) };
  });
}

function offerOf(
  persistentVolume: Resource<'PersistentVolume'> | undefined,
): Pick<KismaticVolume, 'storageClass' | 'labels'> {
  const { labels = {}, annotations } = persistentVolume?.metadata ?? {};
  const storageClass = annotations?.[CLASS_ANNOTATION] ?? persistentVolume?.spec.storageClassName ?? '';
  return {
    ...(storageClass === '' ? {} : { storageClass }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
}

function storageOf(
  { spec, status }: Resource<'Volume'>,
  copies: readonly Resource<'VolumeCopy'>[],
): Pick<KismaticVolume, 'capacity' | 'available' | 'replicaCount' | 'distributionCount' | 'bricks'> {
  const isMade = status?.engine !== undefined && !['Absent', 'Removed'].includes(status.engine.state);
  return {
    // Until the engine has made the volume there is no limit that holds.
    capacity: isMade ? kismaticSize(parseQuantity(status.size ?? spec.size)) : UNKNOWN,
    // How much of a volume is used is not reported by the agents.
    available: UNKNOWN,
    replicaCount: replicasOf(spec),
    distributionCount: setCount(spec),
    bricks: copies
      .toSorted((a, b) => a.spec.index - b.spec.index)
      .map((copy) => ({ host: copy.spec.node, path: copy.status?.path ?? UNKNOWN })),
  };
}

function useOf(persistentVolume: Resource<'PersistentVolume'> | undefined): Pick<KismaticVolume, 'status' | 'claim'> {
  const { name, namespace } = persistentVolume?.spec.claimRef ?? {};
  return {
    status: persistentVolume?.status?.phase ?? UNKNOWN,
    ...(name === undefined || namespace === undefined ? {} : { claim: { name, namespace } }),
  };
}
