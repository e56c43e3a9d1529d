/**
 * repairNode: puts right what `holdfast doctor` found on this node. The Task says only which findings; the agent judges
 * its own node once more by the same checks, and repairs what it finds itself. So nobody can name a path or a volume to
 * it, and what has changed since the question was asked stays as it is.
 */
import { judge, keyOf } from '../../../domain/doctor/judge.ts';
import { describeRepair } from '../../../domain/doctor/repair.ts';
import type { DoctorWorld } from '../../../domain/doctor/world.ts';
import { messageOf } from '../../../domain/errors.ts';
import type { AgentDeps } from '../agent-deps.ts';
import { gatherFacts } from '../gather-facts.ts';
import type { TaskContext, TaskRunner } from './task-runner.ts';

export const repairNode: TaskRunner = {
  run: async ({ deps, task, signal, report }: TaskContext) => {
    const wanted = new Set(task.spec.findings);
    const judged = judge(await seeWorld(deps, signal));
    const due = judged.filter(({ finding, remedy }) => remedy?.node === deps.node && wanted.has(keyOf(finding)));
    const done: string[] = [];
    const failed: string[] = [];
    for (const { remedy } of due) {
      if (remedy === undefined) continue;
      const about = describeRepair(remedy.repair);
      const progress = Math.floor((100 * (done.length + failed.length)) / due.length);
      await report({ state: 'Running', message: about, progress });
      try {
        await deps.doctor.repair(remedy.repair, signal);
        done.push(about);
      } catch (error) {
        // The others are independent of it; it is told at the end.
        signal.throwIfAborted();
        failed.push(`${about}: ${messageOf(error)}`);
      }
    }
    const result = { done, failed };
    if (failed.length > 0) return { part: { state: 'Failed', message: failed.join('; '), result } };
    const message = done.length === 0 ? 'nothing of it was found any more' : done.join('; ');
    return { part: { state: 'Succeeded', message, progress: 100, result } };
  },
};

async function seeWorld(deps: AgentDeps, signal: AbortSignal): Promise<DoctorWorld> {
  const { client, clock, node } = deps;
  const askedAt = clock.now();
  const facts = await gatherFacts(deps, signal);
  const [nodes, volumes, copies, attachments, clusters] = await Promise.all([
    client.list('StorageNode', { signal }),
    client.list('Volume', { signal }),
    client.list('VolumeCopy', { signal }),
    client.list('VolumeAttachmentRecord', { signal }),
    client.list('StorageCluster', { signal }),
  ]);
  const answeredAt = clock.now();
  return {
    nodes: nodes.items,
    volumes: volumes.items,
    copies: copies.items,
    attachments: attachments.items,
    clusters: clusters.items,
    examinations: new Map([[node, { facts, askedAt, answeredAt }]]),
    version: deps.agentVersion,
    now: answeredAt,
  };
}
