/** Text of manifests as YAML: values with their lines, changes that leave comments and order alone, and the text again. */
import { type Document, isCollection, isMap, isPair, LineCounter, type Node, parseDocument } from 'yaml';
import type { Edit, ManifestPath } from '../domain/manifest/finding.ts';

export interface TextFault {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** One document. */
export interface ManifestDocument {
  /** What is no YAML; there is no value then. */
  readonly faults: readonly TextFault[];
  value(): unknown;
  /** Line and column of the key or item at a path, or of the nearest thing around it. */
  placeOf(path: ManifestPath): { readonly line: number; readonly column: number };
  change(edit: Edit): void;
  text(): string;
}

/** What makes a small file a huge value. */
const MAX_ALIASES = 100;

/** Reads one document. */
export function readManifestDocument(text: string): ManifestDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults = document.errors.map(({ pos, message }) => ({
    // What is never closed is told at the last line there is.
    ...place(Math.min(pos[0], Math.max(0, text.trimEnd().length - 1))),
    message: message.split('\n')[0] ?? '',
  }));
  if (faults.length === 0 && !isBounded(document)) {
    faults.push({ ...place(0), message: 'it names one part so often that nobody could hold the whole (aliases)' });
  }
  let isChanged = false;
  return {
    faults,
    value: () => (faults.length > 0 ? undefined : document.toJS({ maxAliasCount: MAX_ALIASES })),
    placeOf: (path) => place(offsetOf(document, path)),
    change: (edit) => {
      isChanged = true;
      if ('set' in edit) document.setIn(edit.path, document.createNode(edit.set));
      else remove(document, edit.path);
    },
    text: () => (isChanged ? document.toString({ lineWidth: 0, flowCollectionPadding: true }) : text),
  };
}

function isBounded(document: Document): boolean {
  try {
    document.toJS({ maxAliasCount: MAX_ALIASES });
    return true;
  } catch (error) {
    // What the library throws of too many aliases, and of one that leads nowhere.
    if (error instanceof ReferenceError) return false;
    throw error;
  }
}

/** Walks down as far as there is something that was written. */
function offsetOf(document: Document, path: ManifestPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const part of path) {
    if (!isCollection(node)) return offset;
    const found: unknown = isMap(node)
      ? node.items.find((pair) => String(pair.key) === String(part))
      : node.items[Number(part)];
    const at = isPair(found) ? (found.key as Node) : (found as Node | undefined);
    if (at?.range == null) return offset;
    offset = at.range[0];
    node = isPair(found) ? found.value : found;
  }
  return offset;
}

function remove(document: Document, path: ManifestPath): void {
  document.deleteIn(path);
  const above = path.slice(0, -1);
  const left = above.length === 0 ? undefined : document.getIn(above);
  if (isCollection(left) && left.items.length === 0) remove(document, above);
}
