/** The controller role: all cluster-wide loops in one process, run by whoever is leader. */

import type { CertificateAuthority } from '../ports/certificate-authority.ts';
import type { Millis } from '../ports/clock.ts';
import { explainClaims } from './claim/explain-claims.ts';
import { recycleVolumes } from './claim/recycle-volumes.ts';
import { createClusterLoop } from './cluster/reconcile-cluster.ts';
import { createTlsLoop } from './cluster/reconcile-tls.ts';
import { createSigningLoop } from './cluster/sign-certificates.ts';
import { type ControllerDeps, createInformers, runLoops, WATCHED_KINDS } from './deps.ts';
import { createComputeOnlyLoop, createNodeInformer } from './node/reconcile-compute-only.ts';
import { createFenceLoop } from './node/reconcile-fence.ts';
import { createNodeHealthLoop } from './node/reconcile-node-health.ts';
import { clusterSource } from './runtime/cluster-source.ts';
import { createEventRecorder } from './runtime/event-recorder.ts';
import { createStatusWriter } from './runtime/status-writer.ts';
import { createTurns } from './runtime/turns.ts';
import { createSnapshotLoop } from './snapshot/reconcile-snapshot.ts';
import { createSnapshotGroupLoop } from './snapshot/reconcile-snapshot-group.ts';
import { createTaskLoop } from './task/reconcile-task.ts';
import { createVolumeLoop } from './volume/reconcile-volume.ts';

export interface ControllersOptions
  extends Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log' | 'keyAccess' | 'metrics'> {
  /** Of this program, for whoever compares it with the agents'. */
  readonly version: string;
  /** Silence of the API server that is taken for a dead connection; longer than its time between bookmarks. */
  readonly watchIdleMs: Millis;
  /** Signs the nodes' certificates for storage traffic; without it that cannot be encrypted. */
  readonly storageAuthority?: Pick<CertificateAuthority, 'certificatePem' | 'signNodeCertificate'>;
  /**
   * Tells in events why claims wait, recycles what they leave, and reads the labels of Kubernetes nodes: the embedded API has
   * none of these.
   */
  readonly isOnCluster?: boolean;
}

/** Runs every controller until the signal aborts. */
export async function runControllers(options: ControllersOptions, signal: AbortSignal): Promise<void> {
  const informers = createInformers(options, options.watchIdleMs);
  const events = createEventRecorder(options, { component: 'holdfast-controller' });
  const { storageAuthority } = options;
  const nodes = options.isOnCluster === true ? createNodeInformer(options, options.watchIdleMs) : undefined;
  const deps: ControllerDeps = { ...options, informers, events, statusWriter: createStatusWriter(options) };
  // One after the other, each with a fresh look, these promise room in pools.
  const promises = createTurns();
  const loops = [
    createNodeHealthLoop(deps),
    createFenceLoop(deps),
    createClusterLoop(deps, options),
    createVolumeLoop(deps, promises),
    createTaskLoop(deps),
    createSnapshotLoop(deps, promises),
    createSnapshotGroupLoop(deps),
    createTlsLoop(deps, { hasAuthority: storageAuthority !== undefined }),
    ...(nodes === undefined ? [] : [createComputeOnlyLoop(deps, nodes)]),
    ...(storageAuthority === undefined ? [] : [createSigningLoop(deps, storageAuthority)]),
  ];
  const forget = options.metrics?.addSource(clusterSource(informers));
  try {
    await Promise.all([
      runLoops(deps, { kinds: WATCHED_KINDS, loops }, signal),
      events.run(signal),
      ...(options.isOnCluster === true ? [explainClaims(deps, signal), recycleVolumes(deps, signal)] : []),
      nodes?.run(signal),
    ]);
  } finally {
    forget?.();
  }
}
