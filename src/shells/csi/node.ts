/** CSI Node: each call is decoded, handed to its use case, and encoded. */
import { nodeSegments } from '../../domain/csi/topology.ts';
import {
  NodeDefinition,
  type NodeServiceImplementation,
  NodeServiceCapability_RPC_Type as Rpc,
  VolumeUsage_Unit as Unit,
  type VolumeUsage,
} from '../../gen/csi/csi.ts';
import type { CsiNodeDeps } from '../../usecases/csi/node-deps.ts';
import { publishToPod, stageVolume, unpublishFromPod, unstageVolume } from '../../usecases/csi/node-volumes.ts';
import { readStats, type Usage } from '../../usecases/csi/volume-stats.ts';
import { decodeOneAccess } from './decode.ts';
import type { GrpcServer } from './serve-grpc.ts';

/** No expansion: a mount of GlusterFS shows a new size by itself, and a local image grows with its file system, in use. */
const CAPABILITIES = [
  Rpc.STAGE_UNSTAGE_VOLUME,
  Rpc.GET_VOLUME_STATS,
  Rpc.VOLUME_CONDITION,
  Rpc.SINGLE_NODE_MULTI_WRITER,
] as const;

type Calls = Omit<NodeServiceImplementation, 'nodeExpandVolume'>;

/** Only these; gRPC answers the other with UNIMPLEMENTED. */
const { nodeExpandVolume: _expand, ...METHODS } = NodeDefinition.methods;
const DEFINITION = { ...NodeDefinition, methods: METHODS };

/** Adds the service to a server. */
export function addNode(server: GrpcServer, deps: CsiNodeDeps): void {
  server.add(DEFINITION, { ...mountCalls(deps), ...lookCalls(deps) });
}

function mountCalls(
  deps: CsiNodeDeps,
): Pick<Calls, 'nodeStageVolume' | 'nodeUnstageVolume' | 'nodePublishVolume' | 'nodeUnpublishVolume'> {
  return {
    nodeStageVolume: async ({ volumeId, stagingTargetPath, volumeCapability }, { signal }) => {
      const access = decodeOneAccess(volumeCapability);
      await stageVolume(deps, { volumeId, stagingPath: stagingTargetPath, access }, signal);
      return {};
    },
    nodeUnstageVolume: async ({ volumeId, stagingTargetPath }) => {
      await unstageVolume(deps, { volumeId, stagingPath: stagingTargetPath });
      return {};
    },
    nodePublishVolume: async (request, { signal }) => {
      const { volumeId, stagingTargetPath, targetPath, volumeCapability, readonly: isReadOnly } = request;
      const access = decodeOneAccess(volumeCapability);
      const wanted = { volumeId, stagingPath: stagingTargetPath, targetPath, access, isReadOnly };
      await publishToPod(deps, wanted, signal);
      return {};
    },
    nodeUnpublishVolume: async ({ volumeId, targetPath }) => {
      await unpublishFromPod(deps, { volumeId, targetPath });
      return {};
    },
  };
}

function lookCalls(deps: CsiNodeDeps): Pick<Calls, 'nodeGetVolumeStats' | 'nodeGetCapabilities' | 'nodeGetInfo'> {
  return {
    nodeGetVolumeStats: async ({ volumeId, volumePath }, { signal }) => {
      const { bytes, inodes, isAbnormal, message } = await readStats(deps, { volumeId, volumePath }, signal);
      const usage = [...encodeUsage(bytes, Unit.BYTES), ...encodeUsage(inodes, Unit.INODES)];
      return { usage, volumeCondition: { abnormal: isAbnormal, message } };
    },
    nodeGetCapabilities: async () => ({
      capabilities: CAPABILITIES.map((type) => ({ type: { $case: 'rpc' as const, value: { type } } })),
    }),
    nodeGetInfo: async () => ({
      nodeId: deps.node,
      accessibleTopology: { segments: nodeSegments(deps.node) },
    }),
  };
}

function encodeUsage(usage: Usage | undefined, unit: Unit): VolumeUsage[] {
  if (usage === undefined) return [];
  const { total, used = 0, available = 0 } = usage;
  return [{ total: BigInt(total), used: BigInt(used), available: BigInt(available), unit }];
}
