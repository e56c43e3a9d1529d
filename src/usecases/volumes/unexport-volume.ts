/** Ends the NFS exports of a volume, on all nodes or some. */
import { AppError } from '../../domain/errors.ts';
import { isExport } from '../../domain/nfs-export/names.ts';
import { type WaitDeps, waitForObject } from '../waiting/wait-for-object.ts';
import { findVolume } from './read-volumes.ts';

export interface UnexportOptions {
  readonly isDryRun?: boolean;
  /** Waits this long until it has ended; does not wait when left out. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Asked before clients lose what they have mounted. */
  readonly confirm: (nodes: readonly string[]) => Promise<boolean>;
}

export interface UnexportedVolume {
  readonly name: string;
  readonly outcome: 'kept' | 'marked' | 'ended' | 'foreseen';
  readonly nodes: readonly string[];
}

/**
 * Ends exports. No error when there is none.
 *
 * @param nodes - those of them where it is to end; all when left out
 * @throws {AppError} notFound; timeout, with what the node waits for
 */
export async function unexportVolume(
  deps: WaitDeps,
  { volume, nodes: asked }: { readonly volume: string; readonly nodes?: readonly string[] },
  options: UnexportOptions,
): Promise<UnexportedVolume> {
  const { client } = deps;
  const { waitMs } = options;
  const scope = options.signal === undefined ? {} : { signal: options.signal };
  await findVolume({ client, ...scope }, volume);
  const records = (await client.list('VolumeAttachmentRecord', scope)).items.filter(
    (record) => isExport(record) && record.spec.volume === volume && asked?.includes(record.spec.node) !== false,
  );
  const nodes = records.map(({ spec }) => spec.node).toSorted();
  if (options.isDryRun === true) return { name: volume, outcome: 'foreseen', nodes };
  if (nodes.length > 0 && !(await options.confirm(nodes))) return { name: volume, outcome: 'kept', nodes };
  for (const { metadata } of records)
    await client.delete('VolumeAttachmentRecord', metadata.name, { ...scope, uid: metadata.uid });
  if (waitMs === undefined) return { name: volume, outcome: 'marked', nodes };
  await Promise.all(
    records.map(({ metadata, spec }) =>
      waitForObject(deps, {
        kind: 'VolumeAttachmentRecord',
        name: metadata.name,
        timeoutMs: waitMs,
        ...scope,
        check: (seen) => (seen?.metadata.uid === metadata.uid ? undefined : true),
        describeTimeout: (seen) =>
          new AppError(
            'timeout',
            `the export of volume ${volume} on ${spec.node} has not ended after ${waitMs / 1000} s: ${seen?.status?.message ?? 'its node does not answer'}`,
            {
              resource: `volume ${volume}`,
              reason: 'NotEndedInTime',
              hint: `it ends when the node is heard of; see: holdfast node show ${spec.node}`,
            },
          ),
      }),
    ),
  );
  return { name: volume, outcome: 'ended', nodes };
}
