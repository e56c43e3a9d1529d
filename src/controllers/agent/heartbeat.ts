/** The node's sign of life: a Lease renewed every second, as the kubelet does (KEP-589). */

import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { kubernetesMicroTime } from '../../domain/kubernetes-time.ts';
import { HEARTBEAT_PERIOD_MS, HEARTBEAT_TIMEOUT_MS } from '../../domain/node/decide-node-health.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { withDeadline } from '../runtime/cancellation.ts';

export interface HeartbeatDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: string;
  /** Why the agent must not say that it is well; undefined while it is. */
  readonly complaint: () => string | undefined;
}

/**
 * Renews until the signal aborts. A failed renewal is tried again at the next beat; silence is the message then, also of an
 * agent that hangs (`pulse.ts`): its timer alone would go on saying that all is well.
 */
export async function runHeartbeat(deps: HeartbeatDeps, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const deadline = { ms: HEARTBEAT_TIMEOUT_MS, what: `heartbeat of ${deps.node}`, signal };
      const complaint = deps.complaint();
      if (complaint !== undefined) throw new AppError('unavailable', complaint, { reason: 'AgentHangs' });
      await withDeadline(clock, deadline, (inner) => beat(deps, inner));
      if (isFailing) log.info('heartbeat is heard again');
      isFailing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!isFailing) log.warn('no heartbeat', { error: messageOf(error) });
      isFailing = true;
    }
    try {
      await clock.sleep(HEARTBEAT_PERIOD_MS, signal);
    } catch {
      // Aborted: the loop's condition ends it.
    }
  }
}

async function beat({ client, clock, node }: HeartbeatDeps, signal: AbortSignal): Promise<void> {
  const spec = {
    holderIdentity: node,
    leaseDurationSeconds: HEARTBEAT_TIMEOUT_MS / 1000,
    renewTime: kubernetesMicroTime(clock.now()),
  };
  try {
    await client.patch('Lease', node, { spec }, { namespace: SYSTEM_NAMESPACE, signal });
  } catch (error) {
    if (!isAppError(error, 'notFound')) throw error;
    const metadata = { name: node, namespace: SYSTEM_NAMESPACE };
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    await client.create('Lease', lease, { namespace: SYSTEM_NAMESPACE, signal });
  }
}
