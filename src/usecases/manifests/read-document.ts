/** One document of a manifest file as YAML, with what had to be rearranged for that. */
import { arrange, type Move } from '../../domain/manifest/arrange.ts';
import { fieldFaults } from '../../domain/manifest/check-fields.ts';
import { shapeOfKind } from '../../domain/manifest/field-table.ts';
import type { Finding } from '../../domain/manifest/finding.ts';
import { readOutline } from '../../domain/manifest/outline.ts';
import { printOutline } from '../../domain/manifest/print-outline.ts';
import { type ManifestDocument, readManifestDocument } from '../../schemas/manifest-text.ts';

export interface ReadDocument {
  readonly document: ManifestDocument;
  readonly findings: readonly Finding[];
  /** Line of the file, from 1, for a line of the document. */
  readonly lineOf: (line: number) => number;
  /** The lines are others than those of the file. */
  readonly isRearranged: boolean;
}

/** @param firstLine - of the document in its file, from 1 */
export function readDocument(text: string, firstLine: number): ReadDocument {
  const document = readManifestDocument(text);
  const kind = /^\s*kind:\s*["']?([A-Za-z]+)["']?\s*(?:#.*)?$/m.exec(text)?.[1];
  const lineOf = (line: number) => firstLine + line - 1;
  const shape = shapeOfKind(kind);
  const before = document.faults.length > 0 ? Number.POSITIVE_INFINITY : fieldFaults(document.value(), shape).length;
  const asIs = { document, lineOf, isRearranged: false };
  if (before === 0) return { ...asIs, findings: [] };
  const yaml = document.faults.map(({ message, line, column }) => ({
    ...({ rule: 'yaml', severity: 'error', line: lineOf(line), column, isFixed: false } as const),
    message: `is not valid YAML: ${message}`,
    fix: 'correct the line; what is indented the same belongs together',
  }));
  if (shape.is !== 'fields') return { ...asIs, findings: yaml };
  const { lines, rest } = readOutline(text);
  const arranged = arrange(lines, shape);
  if (!arranged.ok) {
    if (yaml.length === 0) return { ...asIs, findings: [] };
    const place = { line: lineOf(arranged.line.index + 1), column: arranged.line.column + 1 };
    const told = { ...place, rule: 'indentation', severity: 'error', isFixed: false } as const;
    return {
      ...asIs,
      findings: [{ ...told, message: arranged.message, fix: 'what is indented the same belongs together' }],
    };
  }
  const printed = printOutline(arranged.top, rest);
  const again = readManifestDocument(printed.text);
  const isBetter = again.faults.length === 0 && fieldFaults(again.value(), shape).length < before;
  if (!isBetter) return { ...asIs, findings: yaml };
  return {
    document: again,
    findings: arranged.moves.map((move) => findingOf(move, firstLine)),
    lineOf: (line) => firstLine + (printed.origins[line - 1] ?? 0),
    isRearranged: true,
  };
}

function findingOf({ line, message, fix, rule }: Move, firstLine: number): Finding {
  const place = { line: firstLine + line.index, column: line.column + 1 };
  return { rule, severity: 'error', message, fix, ...place, isFixed: true };
}
