/** Versions of one entry side by side: a column per node, a row per property. */
import type { CopyVersion } from '../../domain/split-brain/judge-versions.ts';
import { renderTable } from './table.ts';

interface Row {
  readonly label: string;
  readonly of: (version: CopyVersion) => string | undefined;
}

const ROWS: readonly Row[] = [
  { label: 'type', of: (version) => version.type },
  { label: 'size', of: (version) => String(version.sizeBytes) },
  { label: 'modified', of: (version) => version.modifiedAt },
  { label: 'owner', of: (version) => version.owner },
  { label: 'mode', of: (version) => version.mode },
  { label: 'sha256', of: (version) => version.sha256 },
  { label: 'gfid', of: (version) => version.gfid },
];
/** Wider columns would not stand side by side. */
const LINE_WIDTH = 60;

/** Renders them. */
export function renderVersions(versions: readonly CopyVersion[], hasHeaders: boolean): string {
  const lines = Math.max(0, ...versions.map((version) => version.firstLines?.length ?? 0));
  const text: readonly Row[] = Array.from({ length: lines }, (_, at) => ({
    label: `line ${at + 1}`,
    of: (version) => version.firstLines?.[at]?.slice(0, LINE_WIDTH),
  }));
  const columns = versions.map((version) => ({ name: version.node, value: (row: Row) => row.of(version) }));
  return renderTable([{ name: '', value: (row: Row) => row.label }, ...columns], [...ROWS, ...text], {
    isWide: true,
    hasHeaders,
  });
}
