/** CSI Identity: who the driver is, and whether it can work. */
import {
  IdentityDefinition,
  type IdentityServiceImplementation,
  PluginCapability_Service_Type,
  PluginCapability_VolumeExpansion_Type,
} from '../../gen/csi/csi.ts';
import type { GrpcServer } from './serve-grpc.ts';

/** Name of the driver, as StorageClasses and PersistentVolumes call it. */
export const DRIVER_NAME = 'csi.holdfast.dev';

export interface IdentityDeps {
  readonly version: string;
  /** Resolves when what the calls need answers. @throws {AppError} when it does not */
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

/** Adds the service to a server. */
export function addIdentity(server: GrpcServer, deps: IdentityDeps): void {
  const service: IdentityServiceImplementation = {
    getPluginInfo: async () => ({ name: DRIVER_NAME, vendorVersion: deps.version }),
    getPluginCapabilities: async () => ({
      capabilities: [
        { type: { $case: 'service', value: { type: PluginCapability_Service_Type.CONTROLLER_SERVICE } } },
        { type: { $case: 'service', value: { type: PluginCapability_Service_Type.GROUP_CONTROLLER_SERVICE } } },
        {
          type: {
            $case: 'service',
            value: { type: PluginCapability_Service_Type.VOLUME_ACCESSIBILITY_CONSTRAINTS },
          },
        },
        { type: { $case: 'volumeExpansion', value: { type: PluginCapability_VolumeExpansion_Type.ONLINE } } },
      ],
    }),
    probe: async (_request, { signal }) => {
      await deps.probe(signal);
      return { ready: true };
    },
  };
  server.add(IdentityDefinition, service);
}
