/** What the index of locality keeps of each object: of tens of thousands of volumes little is needed. */
import type { Resource } from '../../ports/resource-client.ts';

type Identity = Pick<
  Resource<'Volume'>['metadata'],
  'name' | 'uid' | 'resourceVersion' | 'generation' | 'creationTimestamp'
>;

function identityOf({ name, uid, resourceVersion, generation, creationTimestamp }: Identity): Identity {
  return { name, uid, resourceVersion, generation, creationTimestamp };
}

/** Of a Volume: layout and locality, where its copies are, and what the engine said of each. */
export function trimVolume({ apiVersion, kind, metadata, spec, status }: Resource<'Volume'>): Resource<'Volume'> {
  const { size, engine, layout, pool, brick, replicas, distribution, disperseData, redundancy, locality, nodes } = spec;
  const placement = (status?.placement ?? []).map(({ copy, node, pool: of, role, set, isJoining, isLeaving }) => {
    return { copy, node, pool: of, role, set, isJoining, isLeaving };
  });
  const { observedBy = '', epoch = 0, state = 'Absent', bricks = [] } = status?.engine ?? {};
  return {
    ...{ apiVersion, kind, metadata: identityOf(metadata) },
    spec: {
      ...{ size, engine, layout, pool, brick, replicas, distribution, disperseData, redundancy, locality },
      nodes: engine === 'local' ? nodes : undefined,
    },
    status: { placement, engine: { observedBy, epoch, state, bricks } },
  };
}

/** Of a PersistentVolume: which volume it is, and the claim that has it. Those of other drivers are only known to be there. */
export function trimPersistentVolume(
  driver: string,
): (pv: Resource<'PersistentVolume'>) => Resource<'PersistentVolume'> {
  return ({ apiVersion, kind, metadata, spec, status }) => {
    const object = { apiVersion, kind, metadata: identityOf(metadata) };
    if (spec.csi?.driver !== driver) return { ...object, spec: {} };
    const { namespace, name } = spec.claimRef ?? {};
    const csi = { driver, volumeHandle: spec.csi.volumeHandle };
    return { ...object, spec: { csi, claimRef: { namespace, name } }, status: { phase: status?.phase } };
  };
}

/** Of a StorageNode: whether it is heard from, and its engines. */
export function trimNode({
  apiVersion,
  kind,
  metadata,
  spec,
  status,
}: Resource<'StorageNode'>): Resource<'StorageNode'> {
  const { deletionTimestamp } = metadata;
  const engines = status?.engines?.map(({ name, isInstalled, isRunning, isStranger }) => {
    return { name, isInstalled, isRunning, isStranger };
  });
  return {
    ...{ apiVersion, kind },
    metadata: { ...identityOf(metadata), ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { addresses: spec.addresses, pools: [] },
    status: { engines, conditions: status?.conditions?.filter(({ type }) => type === 'Ready') },
  };
}
