/** Says what is wrong in manifests, where, and what to do; and writes them as they should be. */
import { cleanCharacters } from '../../domain/manifest/characters.ts';
import { checkFields } from '../../domain/manifest/check-fields.ts';
import { checkClaims } from '../../domain/manifest/claims.ts';
import { findObjects } from '../../domain/manifest/find-objects.ts';
import type { Finding, ManifestObject, Rule, RuleFinding } from '../../domain/manifest/finding.ts';
import { checkParameters, checkProvisioners } from '../../domain/manifest/foreign-classes.ts';
import { checkAnnotations, checkVersions } from '../../domain/manifest/old-names.ts';
import { checkSources } from '../../domain/manifest/removed-sources.ts';
import { checkMounts, checkServices, checkWorkloads } from '../../domain/manifest/selectors.ts';
import { type ReadDocument, readDocument } from './read-document.ts';
import { type DocumentText, splitDocuments } from './split-documents.ts';

/** A file, or what came through standard input. */
export interface ManifestFile {
  readonly name: string;
  readonly text: string;
}

export interface LintedFile {
  readonly name: string;
  /** In the order of their lines. */
  readonly findings: readonly Finding[];
  /** With everything put right that can be without a person. */
  readonly corrected: string;
}

/** Those that change names and places come first: the others read what they have made of it. */
const RULES: readonly Rule[] = [
  ...[checkVersions, checkAnnotations, checkProvisioners, checkWorkloads, checkFields, checkSources, checkServices],
  ...[checkMounts, checkParameters, checkClaims],
];

interface Opened {
  readonly name: string;
  readonly parts: readonly DocumentText[];
  readonly documents: readonly ReadDocument[];
  readonly findings: Finding[];
}

/** Reads all files together: a claim in one may be of a class in another. */
export function lintManifests(files: readonly ManifestFile[], rules: readonly Rule[] = RULES): readonly LintedFile[] {
  const opened = files.map(open);
  const all = opened.flatMap((file) => file.documents.map((read) => ({ file, read })));
  for (const { file, read } of all) file.findings.push(...kindFault(read));
  for (const rule of rules) {
    // Anew for each rule: the one before may have changed something.
    const objects = all.flatMap(({ read }, at) =>
      read.document.faults.length > 0 ? [] : findObjects(read.document.value(), at),
    );
    for (const found of rule(objects)) {
      const where = all[found.object.document];
      if (where === undefined) continue;
      where.file.findings.push(place(found, where.read));
      const { at } = found.object;
      for (const edit of found.edits ?? []) where.read.document.change({ ...edit, path: [...at, ...edit.path] });
    }
  }
  return opened.map(close);
}

function open({ name, text }: ManifestFile): Opened {
  const clean = cleanCharacters(text);
  const parts = splitDocuments(clean.text);
  const documents = parts.map((part) => readDocument(part.text, part.firstLine));
  return {
    name,
    parts,
    documents,
    findings: [...clean.findings, ...parts.flatMap(separatorFault), ...documents.flatMap((each) => each.findings)],
  };
}

function separatorFault({ firstLine: line, isSeparatorMissing }: DocumentText): readonly Finding[] {
  if (!isSeparatorMissing) return [];
  const message = 'another object begins, and no line of --- stands before it';
  return [
    { rule: 'separator', severity: 'error', message, fix: 'write a line of ---', line, column: 1, isFixed: true },
  ];
}

function close({ name, parts, documents, findings }: Opened): LintedFile {
  const corrected = parts.map((part, at) => `${part.separator}${documents[at]?.document.text() ?? part.text}`).join('');
  const column = (finding: Finding) => finding.column ?? 0;
  return { name, findings: findings.toSorted((a, b) => a.line - b.line || column(a) - column(b)), corrected };
}

function place(
  { object, path, edits, ...told }: RuleFinding,
  { document, lineOf, isRearranged }: ReadDocument,
): Finding {
  const at = document.placeOf([...object.at, ...path]);
  return {
    ...told,
    line: lineOf(at.line),
    ...(isRearranged ? {} : { column: at.column }),
    object: describeObject(object),
    isFixed: edits !== undefined,
  };
}

function describeObject({ kind, name }: ManifestObject): string {
  return name === '' ? kind : `${kind} ${name}`;
}

/** What is no object at all. */
function kindFault({ document, lineOf }: ReadDocument): readonly Finding[] {
  const value = document.faults.length > 0 ? undefined : document.value();
  if (value === undefined || value === null || findObjects(value, 0).length > 0) return [];
  const isEmptyList = typeof value === 'object' && 'kind' in value && 'items' in value;
  if (isEmptyList) return [];
  const { line, column } = document.placeOf([]);
  const fix = 'begin it with apiVersion and kind';
  return [
    {
      rule: 'kind',
      severity: 'error',
      message: 'the document is no object of Kubernetes: it has no kind',
      fix,
      line: lineOf(line),
      column,
      isFixed: false,
    },
  ];
}
