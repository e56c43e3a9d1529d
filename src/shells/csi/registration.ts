/** Makes the driver known to kubelet, which looks for sockets in its folder of plugins; no other program is needed for it. */
import { join } from 'node:path';
import { RegistrationDefinition, type RegistrationServiceImplementation } from '../../gen/pluginregistration/api.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import { DRIVER_NAME } from './identity.ts';
import { serveGrpc } from './serve-grpc.ts';

/** Kubelet compares only the first number with its own (pkg/volume/csi/csi_plugin.go). */
const CSI_VERSIONS = ['1.0.0'];

export interface RegistrationOptions {
  /** Folder of kubelet. */
  readonly kubeletRoot: string;
  /** Socket of the driver, as kubelet reaches it. */
  readonly endpoint: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where kubelet finds the registration, below its folder. */
export function registrationSocket(kubeletRoot: string): string {
  return join(kubeletRoot, 'plugins_registry', `${DRIVER_NAME}-reg.sock`);
}

/** Serves the registration until the signal aborts; then kubelet forgets the driver. */
export async function serveRegistration(options: RegistrationOptions, signal: AbortSignal): Promise<void> {
  const { kubeletRoot, endpoint, clock, log } = options;
  const service: RegistrationServiceImplementation = {
    getInfo: async () => ({ type: 'CSIPlugin', name: DRIVER_NAME, endpoint, supportedVersions: CSI_VERSIONS }),
    notifyRegistrationStatus: async ({ pluginRegistered, error }) => {
      // Kubelet tries again by itself.
      if (pluginRegistered) log.info('kubelet has registered the driver', { endpoint });
      else log.warn('kubelet does not take the driver', { endpoint, reason: error });
      return {};
    },
  };
  const socketPath = registrationSocket(kubeletRoot);
  await serveGrpc({ socketPath, clock, log, add: (server) => server.add(RegistrationDefinition, service) }, signal);
}
