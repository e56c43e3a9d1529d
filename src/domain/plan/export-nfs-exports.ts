/** The NFS exports that there are, as a plan says them. */
import type { PlanVolume } from '../../schemas/plan-file.ts';
import type { VolumeAttachmentRecord, VolumeAttachmentRecordSpec } from '../../schemas/volume-attachment-record.ts';

/** A plan exports a volume on the same terms from each of its nodes; others stay as they are when it is applied. */
export function exportNfsExports(
  volume: string,
  known: { readonly attachments: readonly VolumeAttachmentRecord[]; readonly nodes: number },
): { readonly fields: Pick<PlanVolume, 'export'>; readonly notices: readonly string[] } {
  const records = known.attachments.map(({ spec }) => spec).filter((spec) => spec.volume === volume);
  const exported = records.flatMap((spec) => termsOf(spec) ?? []);
  const [first] = exported;
  if (first === undefined) return { fields: {}, notices: [] };
  const isAlike = ({ terms }: Exported) => JSON.stringify(terms) === JSON.stringify(first.terms);
  const nodes = exported.filter(isAlike).map(({ node }) => node);
  return {
    fields: { export: { nodes: nodes.length === known.nodes ? 'all' : nodes, ...first.terms } },
    notices: exported
      .filter((each) => !isAlike(each))
      .map(
        ({ node }) =>
          `volume ${volume} is exported by ${node} on other terms than by ${first.node}; a plan has one export per volume`,
      ),
  };
}

interface Exported {
  readonly node: string;
  readonly terms: Omit<NonNullable<PlanVolume['export']>, 'nodes'>;
}

function termsOf({ node, isReadOnly, export: exported }: VolumeAttachmentRecordSpec): Exported | undefined {
  if (exported === undefined) return undefined;
  const terms = {
    to: exported.clients,
    ...(isReadOnly ? { readOnly: true } : {}),
    ...(exported.squash === 'root' ? { rootSquash: true } : {}),
    ...(exported.mayGoBeyond ? { beyondAllowed: true } : {}),
  };
  return { node, terms };
}
