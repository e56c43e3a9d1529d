/** The calling side of CSI, for the lab's own orchestrator: CsiDriver over a unix socket. */
import { ClientError, createChannel, createClient } from 'nice-grpc';
import { AppError } from '../../domain/errors.ts';
import {
  type ControllerClient,
  ControllerDefinition,
  type NodeClient,
  NodeDefinition,
  type VolumeCapability,
} from '../../gen/csi/csi.ts';
import type { CsiAccess, CsiAnswers, CsiDriver, CsiMethod, CsiRequests } from '../../ports/csi-driver.ts';
import { modeNumber } from './decode.ts';
import { kindOfStatus } from './status.ts';

interface Clients {
  readonly controller: ControllerClient;
  readonly node: NodeClient;
}

type Calls = {
  readonly [M in CsiMethod]: (to: Clients, request: CsiRequests[M], signal: AbortSignal) => Promise<CsiAnswers[M]>;
};

/**
 * Creates the client of one socket. It connects with the first call.
 *
 * @param socketPath - absolute
 */
export function createDriverClient(socketPath: string): CsiDriver {
  const channel = createChannel(`unix://${socketPath}`);
  const to = { controller: createClient(ControllerDefinition, channel), node: createClient(NodeDefinition, channel) };
  return {
    call: async (method, request, signal) => {
      try {
        return await CALLS[method](to, request, signal);
      } catch (error) {
        throw error instanceof ClientError ? asAppError(method, error) : error;
      }
    },
    close: () => channel.close(),
  };
}

function asAppError(method: string, error: ClientError): AppError {
  return new AppError(kindOfStatus(error.code), `${method}: ${error.details}`, { cause: error });
}

const CALLS: Calls = {
  NodeGetInfo: async ({ node }, _request, signal) => {
    const { nodeId, accessibleTopology } = await node.nodeGetInfo({}, { signal });
    return { nodeId, ...(accessibleTopology === undefined ? {} : { topology: accessibleTopology.segments }) };
  },
  ListVolumes: async ({ controller }, _request, signal) => {
    const volumeIds: string[] = [];
    let startingToken = '';
    do {
      const page = await controller.listVolumes({ startingToken }, { signal });
      volumeIds.push(...page.entries.map(({ volume }) => volume?.volumeId ?? ''));
      startingToken = page.nextToken;
    } while (startingToken !== '');
    return { volumeIds };
  },
  CreateVolume: async ({ controller }, { name, parameters, accesses, ...request }, signal) => {
    const { requiredBytes, limitBytes = 0, topology } = request;
    const preferred = topology === undefined ? [] : [{ segments: { ...topology } }];
    const { volume } = await controller.createVolume(
      {
        ...{ name, parameters: { ...parameters }, volumeCapabilities: accesses.map(encodeAccess) },
        capacityRange: { requiredBytes: BigInt(requiredBytes), limitBytes: BigInt(limitBytes) },
        ...(topology === undefined ? {} : { accessibilityRequirements: { requisite: [], preferred } }),
      },
      { signal },
    );
    if (volume === undefined) throw new AppError('internal', 'CreateVolume answered with no volume');
    const topologies = volume.accessibleTopology.map(({ segments }) => segments);
    return { volumeId: volume.volumeId, volumeContext: volume.volumeContext, topologies };
  },
  DeleteVolume: ({ controller }, request, signal) => controller.deleteVolume(request, { signal }),
  ControllerPublishVolume: ({ controller }, { access, volumeContext, ...request }, signal) =>
    controller.controllerPublishVolume(
      { ...request, volumeCapability: encodeAccess(access), volumeContext: { ...volumeContext } },
      { signal },
    ),
  ControllerUnpublishVolume: ({ controller }, request, signal) =>
    controller.controllerUnpublishVolume(request, { signal }),
  NodeStageVolume: ({ node }, request, signal) => node.nodeStageVolume(encodeUse(request), { signal }),
  NodeUnstageVolume: ({ node }, request, signal) => node.nodeUnstageVolume(request, { signal }),
  NodePublishVolume: ({ node }, { targetPath, readonly, ...request }, signal) =>
    node.nodePublishVolume({ ...encodeUse(request), targetPath, readonly }, { signal }),
  NodeUnpublishVolume: ({ node }, request, signal) => node.nodeUnpublishVolume(request, { signal }),
};

function encodeUse({ volumeId, stagingTargetPath, access, ...contexts }: CsiRequests['NodeStageVolume']) {
  return {
    ...{ volumeId, stagingTargetPath, volumeCapability: encodeAccess(access) },
    ...{ publishContext: { ...contexts.publishContext }, volumeContext: { ...contexts.volumeContext } },
  };
}

function encodeAccess({ mode, fsType, flags }: CsiAccess): VolumeCapability {
  return {
    accessType: { $case: 'mount', value: { fsType, mountFlags: [...flags], volumeMountGroup: '' } },
    accessMode: { mode: modeNumber(mode) },
  };
}
