/** CSI Controller: each call is decoded, handed to its use case, and encoded. */
import { NO_RANGE } from '../../domain/csi/capacity.ts';
import {
  ControllerDefinition,
  type ControllerServiceImplementation,
  ControllerServiceCapability_RPC_Type as Rpc,
} from '../../gen/csi/csi.ts';
import { createVolume } from '../../usecases/csi/create-volume.ts';
import type { CsiDeps } from '../../usecases/csi/csi-deps.ts';
import { deleteVolume } from '../../usecases/csi/delete-volume.ts';
import { expandVolume } from '../../usecases/csi/expand-volume.ts';
import { getCapacity, getVolume, listVolumes } from '../../usecases/csi/look-at-volumes.ts';
import { modifyVolume } from '../../usecases/csi/modify-volume.ts';
import { publishVolume, unpublishVolume } from '../../usecases/csi/publish-volume.ts';
import { createSnapshot, deleteSnapshot, listSnapshots } from '../../usecases/csi/snapshots.ts';
import { validateVolume } from '../../usecases/csi/validate-volume.ts';
import { decodeAccess, decodeOneAccess, decodeOrigin, decodeRange, decodeTopology } from './decode.ts';
import { encodeHome, encodeSnapshot, encodeVolume } from './encode.ts';
import type { GrpcServer } from './serve-grpc.ts';

/** Each is real and tested; what is not here the driver does not do. */
const CAPABILITIES = [
  Rpc.CREATE_DELETE_VOLUME,
  Rpc.PUBLISH_UNPUBLISH_VOLUME,
  Rpc.PUBLISH_READONLY,
  Rpc.LIST_VOLUMES,
  Rpc.LIST_VOLUMES_PUBLISHED_NODES,
  Rpc.GET_VOLUME,
  Rpc.VOLUME_CONDITION,
  Rpc.GET_CAPACITY,
  Rpc.EXPAND_VOLUME,
  Rpc.CREATE_DELETE_SNAPSHOT,
  Rpc.LIST_SNAPSHOTS,
  Rpc.CLONE_VOLUME,
  Rpc.SINGLE_NODE_MULTI_WRITER,
  Rpc.MODIFY_VOLUME,
] as const;

type Calls = Pick<
  ControllerServiceImplementation,
  | 'createVolume'
  | 'deleteVolume'
  | 'controllerPublishVolume'
  | 'controllerUnpublishVolume'
  | 'validateVolumeCapabilities'
  | 'listVolumes'
  | 'controllerGetVolume'
  | 'getCapacity'
  | 'controllerExpandVolume'
  | 'controllerModifyVolume'
  | 'createSnapshot'
  | 'deleteSnapshot'
  | 'listSnapshots'
  | 'controllerGetCapabilities'
>;

/** Only these; gRPC answers the other with UNIMPLEMENTED. */
const { getSnapshot: _snapshot, ...METHODS } = ControllerDefinition.methods;
const DEFINITION = { ...ControllerDefinition, methods: METHODS };

/** Adds the service to a server. */
export function addController(server: GrpcServer, deps: CsiDeps): void {
  const calls: Calls = { ...volumeCalls(deps), ...useCalls(deps), ...snapshotCalls(deps) };
  server.add(DEFINITION, calls);
}

function volumeCalls(
  deps: CsiDeps,
): Pick<
  Calls,
  | 'createVolume'
  | 'deleteVolume'
  | 'listVolumes'
  | 'controllerGetVolume'
  | 'controllerExpandVolume'
  | 'controllerModifyVolume'
> {
  return {
    createVolume: async (request, { signal }) => {
      const { name, capacityRange, volumeCapabilities, parameters, mutableParameters, secrets } = request;
      const { volumeContentSource } = request;
      const range = decodeRange(capacityRange) ?? NO_RANGE;
      const origin = decodeOrigin(volumeContentSource);
      const accesses = volumeCapabilities.map(decodeAccess);
      const wanted = {
        name,
        range,
        accesses,
        parameters,
        mutableParameters,
        secrets,
        topology: decodeTopology(request.accessibilityRequirements),
        ...(origin === undefined ? {} : { origin }),
      };
      const { volumeId, capacityBytes, node } = await createVolume(deps, wanted, signal);
      const contentSource = volumeContentSource === undefined ? {} : { contentSource: volumeContentSource };
      const volume = { volumeId, capacityBytes: BigInt(capacityBytes), accessibleTopology: encodeHome(node) };
      return { volume: { ...volume, ...contentSource } };
    },
    deleteVolume: async ({ volumeId }, { signal }) => {
      await deleteVolume(deps, volumeId, signal);
      return {};
    },
    listVolumes: async (request, { signal }) => {
      const { items, nextToken } = await listVolumes(deps, request, signal);
      return { entries: items.map(encodeVolume), nextToken };
    },
    controllerGetVolume: async ({ volumeId }, { signal }) => encodeVolume(await getVolume(deps, volumeId, signal)),
    controllerExpandVolume: async ({ volumeId, capacityRange, volumeCapability }, { signal }) => {
      const range = decodeRange(capacityRange);
      const wanted = { volumeId, range, access: decodeOneAccess(volumeCapability) };
      const bytes = await expandVolume(deps, wanted, signal);
      return { capacityBytes: BigInt(bytes), nodeExpansionRequired: false };
    },
    controllerModifyVolume: async ({ volumeId, mutableParameters }, { signal }) => {
      await modifyVolume(deps, { volumeId, parameters: mutableParameters }, signal);
      return {};
    },
  };
}

function useCalls(
  deps: CsiDeps,
): Pick<
  Calls,
  | 'controllerPublishVolume'
  | 'controllerUnpublishVolume'
  | 'validateVolumeCapabilities'
  | 'getCapacity'
  | 'controllerGetCapabilities'
> {
  return {
    controllerPublishVolume: async ({ volumeId, nodeId, volumeCapability, readonly: isReadOnly }, { signal }) => {
      await publishVolume(deps, { volumeId, nodeId, access: decodeOneAccess(volumeCapability), isReadOnly }, signal);
      return {};
    },
    controllerUnpublishVolume: async ({ volumeId, nodeId }, { signal }) => {
      await unpublishVolume(deps, { volumeId, nodeId }, signal);
      return {};
    },
    validateVolumeCapabilities: async ({ secrets: _unused, volumeId, volumeCapabilities, ...believed }, { signal }) => {
      const accesses = volumeCapabilities.map(decodeAccess);
      const fault = await validateVolume(deps, { volumeId, accesses, ...believed }, signal);
      return fault === undefined ? { confirmed: { volumeCapabilities, ...believed } } : { message: fault };
    },
    getCapacity: async ({ parameters, volumeCapabilities, accessibleTopology }, { signal }) => {
      const accesses = volumeCapabilities.map(decodeAccess);
      const bytes = await getCapacity(deps, { parameters, accesses, segments: accessibleTopology?.segments }, signal);
      return { availableCapacity: BigInt(bytes), maximumVolumeSize: BigInt(bytes) };
    },
    controllerGetCapabilities: async () => ({
      capabilities: CAPABILITIES.map((type) => ({ type: { $case: 'rpc' as const, value: { type } } })),
    }),
  };
}

function snapshotCalls(deps: CsiDeps): Pick<Calls, 'createSnapshot' | 'deleteSnapshot' | 'listSnapshots'> {
  return {
    createSnapshot: async (request, { signal }) => ({
      snapshot: encodeSnapshot(await createSnapshot(deps, request, signal)),
    }),
    deleteSnapshot: async ({ snapshotId }, { signal }) => {
      await deleteSnapshot(deps, snapshotId, signal);
      return {};
    },
    listSnapshots: async (request, { signal }) => {
      const { items, nextToken } = await listSnapshots(deps, request, signal);
      return { entries: items.map((snapshot) => ({ snapshot: encodeSnapshot(snapshot) })), nextToken };
    },
  };
}
