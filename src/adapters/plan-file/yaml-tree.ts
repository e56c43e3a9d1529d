/**
 * Reads YAML as plain data with a place for every value, and refuses everything a plan has no use for: anchors, tags,
 * merge keys, several documents, deep nesting. So no text can grow in memory beyond its own length.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { PlanPath } from '../../domain/plan/fault.ts';
import { formatPath } from '../../domain/plan/fault.ts';

/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface TreeFault extends Place {
  readonly path: PlanPath;
  /** The value could not be taken: what is wrong at its place, or below, follows from that. */
  readonly isLost: boolean;
  readonly field: string;
  readonly message: string;
}

export interface YamlTree {
  readonly value: unknown;
  readonly faults: readonly TreeFault[];
  /** False where the text is no YAML: then there is no value to check. */
  readonly isSound: boolean;
  /** The place of the value or key at a path; of the nearest thing around it where it is missing. */
  readonly placeOf: (path: PlanPath, at: 'key' | 'value') => Place;
}

/** A plan needs six levels. */
const MAX_DEPTH = 12;

interface Reading {
  readonly lines: LineCounter;
  readonly faults: TreeFault[];
  readonly places: Map<string, Place>;
}

/** Reads one YAML document. */
export function readYamlTree(text: string): YamlTree {
  const reading: Reading = { lines: new LineCounter(), faults: [], places: new Map() };
  const document = parseDocument(text, {
    lineCounter: reading.lines,
    prettyErrors: false,
    merge: false,
    // The library's own check compares each key with each (23 s for 60,000 keys); readMap does it with a map.
    uniqueKeys: false,
  });
  for (const error of document.errors) {
    reading.faults.push({
      ...placeAt(reading, error.pos[0]),
      path: [],
      isLost: true,
      field: 'plan',
      message: describeSyntax(error),
    });
  }
  if (document.directives?.yaml.explicit === true || Object.keys(document.directives?.tags ?? {}).length > 1) {
    addFault(reading, [], 0, 'YAML directives (%YAML, %TAG) are not used in a plan; remove them');
  }
  // A broken document is read no further: what follows from the first mistake would only confuse.
  const isSound = document.errors.length === 0;
  const value = isSound && document.contents !== null ? readNode(reading, document.contents, []) : undefined;
  return { value, faults: reading.faults, isSound, placeOf: (path, at) => findPlace(reading, path, at) };
}

function readNode(reading: Reading, node: Node, path: PlanPath): unknown {
  const offset = node.range?.[0] ?? 0;
  reading.places.set(keyOf(path, 'value'), placeAt(reading, offset));
  if (path.length > MAX_DEPTH) {
    addLoss(reading, path, offset, `is nested more than ${MAX_DEPTH} levels deep; a plan has no use for that`);
    return undefined;
  }
  if (isAlias(node)) {
    addLoss(reading, path, offset, `the alias *${node.source} is not used in a plan; write the value out`);
    return undefined;
  }
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return undefined;
  checkProperties(reading, node, path);
  if (isMap(node)) return readMap(reading, node, path);
  if (isSeq(node)) return readList(reading, node, path);
  return readScalar(reading, node, path);
}

function checkProperties(reading: Reading, node: YAMLMap | YAMLSeq | Scalar, path: PlanPath): void {
  const offset = node.range?.[0] ?? 0;
  if (node.anchor !== undefined) {
    addFault(reading, path, offset, `the anchor &${node.anchor} is not used in a plan; remove it`);
  }
  if (node.tag === undefined) return;
  const tag = node.tag.replace('tag:yaml.org,2002:', '!!');
  addLoss(reading, path, offset, `the tag ${tag} is not used in a plan; remove it`);
}

function readList(reading: Reading, list: YAMLSeq, path: PlanPath): unknown {
  return list.items.map((item, index) => {
    const value = readNode(reading, item as Node, [...path, index]);
    // An entry that is there but empty ("- ") must be told as such, not skipped.
    return value === undefined ? null : value;
  });
}

function readMap(reading: Reading, map: YAMLMap, path: PlanPath): unknown {
  const result: Record<string, unknown> = {};
  for (const pair of map.items) {
    const key = readKey(reading, pair, path);
    if (key === undefined) continue;
    const value = pair.value === null ? undefined : readNode(reading, pair.value as Node, [...path, key]);
    // "labels:" with nothing behind it means that there are none.
    if (value !== undefined && value !== null) result[key] = value;
  }
  return result;
}

function readKey(reading: Reading, pair: Pair, path: PlanPath): string | undefined {
  const node = pair.key as Node;
  const offset = node?.range?.[0] ?? 0;
  if (!isScalar(node) || typeof node.value !== 'string' || node.anchor !== undefined || node.tag !== undefined) {
    addFault(reading, path, offset, 'a key must be plain text; put it in quotes');
    return undefined;
  }
  const key = node.value;
  const keyPath = [...path, key];
  const fault = keyFault(key);
  if (fault !== undefined) {
    addFault(reading, fault.isNamed ? keyPath : path, offset, fault.message);
    return undefined;
  }
  const earlier = reading.places.get(keyOf(keyPath, 'key'));
  if (earlier !== undefined) {
    const { line } = placeAt(reading, offset);
    addFault(
      reading,
      keyPath,
      offset,
      `the key ${key} is given twice, on lines ${earlier.line} and ${line}; remove one`,
    );
    return undefined;
  }
  reading.places.set(keyOf(keyPath, 'key'), placeAt(reading, offset));
  return key;
}

function keyFault(key: string): { readonly message: string; readonly isNamed: boolean } | undefined {
  if (key === '<<') return { message: 'merge keys are not used in a plan; write the values out', isNamed: true };
  if (key === '__proto__') return { message: 'is no key of a plan; remove it', isNamed: true };
  const unseen = unseenFault(key);
  return unseen === undefined ? undefined : { message: `a key ${unseen}`, isNamed: false };
}

function readScalar(reading: Reading, scalar: Scalar, path: PlanPath): unknown {
  const { value } = scalar;
  const fault = typeof value === 'string' ? unseenFault(value) : undefined;
  if (fault === undefined) return value;
  addLoss(reading, path, scalar.range?.[0] ?? 0, fault);
  return undefined;
}

/** A text that is another one than a reader sees: nobody could tell what a plan with it does. */
function unseenFault(text: string): string | undefined {
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'holds control characters (a line break, a NUL); write one plain line';
  const unseen = /[\u0080-\u009f\p{Cf}\p{Zl}\p{Zp}]/u.exec(text)?.[0];
  if (unseen === undefined) return undefined;
  const code = (unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `holds the character U+${code}, which cannot be seen; remove it`;
}

function describeSyntax(error: { readonly code: string; readonly message: string }): string {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab is used to indent; YAML allows only spaces';
    case 'MULTIPLE_DOCS':
      return 'the file holds several YAML documents ("---"); a plan is one document';
    case 'RESOURCE_EXHAUSTION':
      return 'the file is nested far too deep; a plan has no use for that';
    default:
      return `is not valid YAML: ${error.message.split('\n', 1)[0] ?? ''}`;
  }
}

function addFault(reading: Reading, path: PlanPath, offset: number, message: string): void {
  reading.faults.push({ ...placeAt(reading, offset), path, isLost: false, field: formatPath(path), message });
}

/** A fault for which the value itself is not taken. */
function addLoss(reading: Reading, path: PlanPath, offset: number, message: string): void {
  reading.faults.push({ ...placeAt(reading, offset), path, isLost: true, field: formatPath(path), message });
}

function placeAt(reading: Reading, offset: number): Place {
  const { line, col } = reading.lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function findPlace(reading: Reading, path: PlanPath, at: 'key' | 'value'): Place {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const wanted = at === 'key' && length === path.length ? (['key', 'value'] as const) : (['value', 'key'] as const);
    for (const kind of wanted) {
      const place = reading.places.get(keyOf(part, kind));
      if (place !== undefined) return place;
    }
  }
  return { line: 1, column: 1 };
}

function keyOf(path: PlanPath, kind: 'key' | 'value'): string {
  return `${kind} ${JSON.stringify(path)}`;
}
