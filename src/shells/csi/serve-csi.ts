/** The driver in the two roles: the controller service beside the controllers, the node service beside an agent. */
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Metrics } from '../../ports/metrics.ts';
import type { CsiDeps } from '../../usecases/csi/csi-deps.ts';
import type { CsiNodeDeps } from '../../usecases/csi/node-deps.ts';
import { addController } from './controller.ts';
import { addGroupController } from './group-controller.ts';
import { addIdentity, type IdentityDeps } from './identity.ts';
import { addNode } from './node.ts';
import { serveGrpc } from './serve-grpc.ts';

interface ServeOptions extends IdentityDeps {
  readonly socketPath: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: Metrics;
}

/** Serves Identity and Controller until the signal aborts. */
export async function serveCsiController(options: ServeOptions & CsiDeps, signal: AbortSignal): Promise<void> {
  const add = (server: Parameters<typeof addIdentity>[0]): void => {
    addIdentity(server, options);
    addController(server, options);
    addGroupController(server, options);
  };
  await serveGrpc({ ...options, add }, signal);
}

/** Serves Identity and Node until the signal aborts. */
export async function serveCsiNode(options: ServeOptions & CsiNodeDeps, signal: AbortSignal): Promise<void> {
  const add = (server: Parameters<typeof addIdentity>[0]): void => {
    addIdentity(server, options);
    addNode(server, options);
  };
  await serveGrpc({ ...options, add }, signal);
}
