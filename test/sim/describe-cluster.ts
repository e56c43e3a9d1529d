/** Where everything stands in a simulated cluster, for the message of a test that fails. */
import type { FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import type { Condition } from '../../src/schemas/common.ts';
import type { Seen } from './observer.ts';
import type { SimProcess } from './world.ts';

interface Parts {
  readonly seen: Seen;
  readonly gluster: FakeCluster;
  /** The last process of each program, by its name. */
  readonly processes: ReadonlyMap<string, SimProcess>;
}

/** The engine's truth, every object's state, and the last words of each process. */
export function describeCluster({ seen, gluster, processes }: Parts): string {
  const engine = `at the engine: ${gluster.residue().join('; ') || 'nothing'}`;
  return [engine, ...describeVolumes(seen), ...describeOthers(seen), ...lastWords(processes)].join('\n');
}

function describeVolumes(seen: Seen): readonly string[] {
  return [...seen.Volume.values()].flatMap(({ metadata, status = {} }) => {
    const going = metadata.deletionTimestamp === undefined ? '' : ' (to be deleted)';
    return [
      `Volume ${metadata.name}${going}: ${status.phase}, anchor ${status.anchor}, epoch ${status.epoch}`,
      `  ${describeConditions(status.conditions)}`,
      `  engine ${JSON.stringify(status.engine)}`,
    ];
  });
}

function describeOthers(seen: Seen): readonly string[] {
  const lines: string[] = [];
  for (const { metadata, spec, status } of seen.VolumeCopy.values()) {
    lines.push(`VolumeCopy ${metadata.name} on ${spec.node}: ${JSON.stringify(status)}`);
  }
  for (const { metadata, status } of seen.VolumeAttachmentRecord.values()) {
    lines.push(`VolumeAttachmentRecord ${metadata.name}: ${JSON.stringify(status)}`);
  }
  for (const { metadata, status } of seen.StorageCluster.values()) {
    lines.push(`StorageCluster ${metadata.name}: anchor ${status?.anchor}, peers ${JSON.stringify(status?.peers)}`);
  }
  for (const { metadata, status } of seen.StorageNode.values()) {
    lines.push(`StorageNode ${metadata.name}: ${describeConditions(status?.conditions)}`);
  }
  return lines;
}

function describeConditions(conditions: readonly Condition[] | undefined): string {
  return (conditions ?? []).map((each) => `${each.type}=${each.status} ${each.reason}: ${each.message}`).join('; ');
}

function lastWords(processes: ReadonlyMap<string, SimProcess>): readonly string[] {
  return [...processes.values()].flatMap(({ name, deps }) => {
    const entries = deps.log.entries.filter((entry) => entry.level !== 'debug');
    return entries.slice(-4).map(({ message, fields: { err, ...rest } }) => {
      return `${name}: ${message} ${JSON.stringify(rest)} ${err instanceof Error ? err.message : ''}`;
    });
  });
}
