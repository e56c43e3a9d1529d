/** CSI GroupController: snapshots of several volumes at one moment. */
import {
  GroupControllerDefinition,
  type GroupControllerServiceImplementation,
  GroupControllerServiceCapability_RPC_Type as Rpc,
} from '../../gen/csi/csi.ts';
import type { CsiDeps } from '../../usecases/csi/csi-deps.ts';
import { createSnapshotGroup, deleteSnapshotGroup, getSnapshotGroup } from '../../usecases/csi/snapshot-groups.ts';
import { encodeGroup } from './encode.ts';
import type { GrpcServer } from './serve-grpc.ts';

/** Adds the service to a server. */
export function addGroupController(server: GrpcServer, deps: CsiDeps): void {
  const service: GroupControllerServiceImplementation = {
    groupControllerGetCapabilities: async () => ({
      capabilities: [{ type: { $case: 'rpc', value: { type: Rpc.CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT } } }],
    }),
    createVolumeGroupSnapshot: async (request, { signal }) => ({
      groupSnapshot: encodeGroup(await createSnapshotGroup(deps, request, signal)),
    }),
    deleteVolumeGroupSnapshot: async (request, { signal }) => {
      await deleteSnapshotGroup(deps, request, signal);
      return {};
    },
    getVolumeGroupSnapshot: async (request, { signal }) => ({
      groupSnapshot: encodeGroup(await getSnapshotGroup(deps, request, signal)),
    }),
  };
  server.add(GroupControllerDefinition, service);
}
