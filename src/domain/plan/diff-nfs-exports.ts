/** What must be written so that volumes are exported as a plan says. Pure; nothing is ever deleted. */
import type { Fault } from '../errors.ts';
import { ATTACHMENT_FINALIZER } from '../finalizers.ts';
import { ONE_WRITER_HINT, oneWriterFault } from '../nfs-export/beside-one-node.ts';
import { chooseExportId, type KnownExport } from '../nfs-export/export-id.ts';
import { exportName, exportPath } from '../nfs-export/names.ts';
import { fieldChanges } from './describe-write.ts';
import type { PlanDiff, PlanWrite, StoredObjects } from './diff-plan.ts';
import type { PlannedExport, ResolvedPlan } from './resolve-plan.ts';

/** Compares the exports of a plan with those that are stored. */
export function diffNfsExports(plan: ResolvedPlan, stored: StoredObjects): PlanDiff {
  const known: KnownExport[] = stored.attachments.flatMap(({ spec }) =>
    spec.export === undefined ? [] : [{ volume: spec.volume, id: spec.export.id }],
  );
  const conflicts: Fault[] = [];
  const writes = plan.volumes.flatMap(({ name, exports = [] }) => {
    if (exports.length === 0) return [];
    // What is yet to be made has no UID: any number that nobody has does.
    const uid = stored.volumes.find(({ metadata }) => metadata.name === name)?.metadata.uid ?? name;
    const id = chooseExportId({ name, uid }, known);
    if (id === undefined) {
      conflicts.push({ field: `volume ${name} export`, message: 'no number is left for another export' });
      return [];
    }
    known.push({ volume: name, id });
    return exports.map((wanted) => diffExport({ ...wanted, volume: name, id }, stored, conflicts));
  });
  return { writes, conflicts };
}

function diffExport(
  { volume, node, id, clients, isReadOnly, squash, mayGoBeyond }: PlannedExport & KnownExport,
  stored: StoredObjects,
  conflicts: Fault[],
): PlanWrite {
  const write = { kind: 'VolumeAttachmentRecord', name: exportName(volume, node) } as const;
  const existing = stored.attachments.find(({ metadata }) => metadata.name === write.name);
  const terms = { clients, squash, mayGoBeyond };
  const noteOneWriter = () => {
    const message = isReadOnly ? undefined : oneWriterFault(stored.attachments, volume);
    if (message === undefined) return;
    conflicts.push({ field: `volume ${volume} export on ${node}`, message: `${message}; ${ONE_WRITER_HINT}` });
  };
  if (existing === undefined) {
    noteOneWriter();
    const metadata = { finalizers: [ATTACHMENT_FINALIZER], labels: { 'holdfast.dev/volume': volume } };
    const spec = { volume, node, mountPath: exportPath(volume), isReadOnly, export: { id, ...terms } };
    return { ...write, action: 'create', metadata, spec };
  }
  if (existing.metadata.deletionTimestamp !== undefined) {
    const message = 'is being taken away; apply the plan when that is done';
    conflicts.push({ field: `volume ${volume} export on ${node}`, message });
    return { ...write, action: 'unchanged' };
  }
  const patch = { spec: { isReadOnly, export: terms } };
  if (fieldChanges(existing, patch).length === 0) return { ...write, action: 'unchanged' };
  noteOneWriter();
  return { ...write, action: 'update', resourceVersion: existing.metadata.resourceVersion, patch };
}
