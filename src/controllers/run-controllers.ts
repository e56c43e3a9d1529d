/** The controller role: all cluster-wide loops in one process, run by whoever is leader. */
import type { Millis } from '../ports/clock.ts';
import { createClusterLoop } from './cluster/reconcile-cluster.ts';
import { type ControllerDeps, createInformers, runInformers } from './deps.ts';
import { createNodeHealthLoop } from './node/reconcile-node-health.ts';
import { createEventRecorder } from './runtime/event-recorder.ts';
import { createStatusWriter } from './runtime/status-writer.ts';
import { createSnapshotLoop } from './snapshot/reconcile-snapshot.ts';
import { createTaskLoop } from './task/reconcile-task.ts';
import { createVolumeLoop } from './volume/reconcile-volume.ts';

export interface ControllersOptions extends Pick<ControllerDeps, 'client' | 'clock' | 'random' | 'log'> {
  /** Silence of the API server that is taken for a dead connection; longer than its time between bookmarks. */
  readonly watchIdleMs: Millis;
}

/** Runs every controller until the signal aborts. */
export async function runControllers(options: ControllersOptions, signal: AbortSignal): Promise<void> {
  const informers = createInformers(options, options.watchIdleMs);
  const events = createEventRecorder(options, { component: 'holdfast-controller' });
  const deps: ControllerDeps = { ...options, informers, events, statusWriter: createStatusWriter(options) };
  const loops = [
    createNodeHealthLoop(deps),
    createClusterLoop(deps),
    createVolumeLoop(deps),
    createTaskLoop(deps),
    createSnapshotLoop(deps),
  ];
  await Promise.all([
    runInformers(
      informers,
      [
        'StorageCluster',
        'StorageNode',
        'Volume',
        'VolumeCopy',
        'VolumeAttachmentRecord',
        'VolumeSnapshotRecord',
        'Task',
        'Lease',
      ],
      signal,
    ),
    events.run(signal),
    ...loops.map((loop) => loop.run(signal)),
  ]);
}
