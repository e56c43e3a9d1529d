/** A caller of both services, as kubelet and the sidecars are. */
import { ClientError, createChannel, createClient, type Status } from 'nice-grpc';
import {
  type ControllerClient,
  ControllerDefinition,
  type GroupControllerClient,
  GroupControllerDefinition,
  type IdentityClient,
  IdentityDefinition,
  VolumeCapability_AccessMode_Mode as Mode,
  type NodeClient,
  NodeDefinition,
  type VolumeCapability,
} from '../../src/gen/csi/csi.ts';

export interface CsiClient {
  readonly identity: IdentityClient;
  readonly controller: ControllerClient;
  readonly groups: GroupControllerClient;
  readonly node: NodeClient;
  close(): void;
}

/** Connects to both sockets. */
export function createCsiClient(sockets: {
  readonly controllerSocket: string;
  readonly nodeSocket: string;
}): CsiClient {
  const controllerChannel = createChannel(`unix://${sockets.controllerSocket}`);
  const nodeChannel = createChannel(`unix://${sockets.nodeSocket}`);
  return {
    identity: createClient(IdentityDefinition, controllerChannel),
    controller: createClient(ControllerDefinition, controllerChannel),
    groups: createClient(GroupControllerDefinition, controllerChannel),
    node: createClient(NodeDefinition, nodeChannel),
    close: () => {
      controllerChannel.close();
      nodeChannel.close();
    },
  };
}

/** A capability to mount. */
export function mountable(
  mode: Mode = Mode.MULTI_NODE_MULTI_WRITER,
  mountFlags: readonly string[] = [],
  fsType = '',
): VolumeCapability {
  const mount = { fsType, mountFlags: [...mountFlags], volumeMountGroup: '' };
  return { accessType: { $case: 'mount', value: mount }, accessMode: { mode } };
}

/** A capability to have the device itself. */
export function blockOf(mode: Mode): VolumeCapability {
  return { accessType: { $case: 'block', value: {} }, accessMode: { mode } };
}

/** How a call was refused. @throws {Error} when it was not */
export async function refusalOf(call: Promise<unknown>): Promise<{ readonly code: Status; readonly details: string }> {
  return call.then(
    () => {
      throw new Error('the call was expected to be refused');
    },
    (error: unknown) => {
      if (error instanceof ClientError) return { code: error.code, details: error.details };
      throw error;
    },
  );
}
