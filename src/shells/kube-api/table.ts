/** The Table form of objects (meta.k8s.io/v1), which `kubectl get` prints. */
import { KINDS, type KindDefinition, type KindName, type PrinterColumn } from '../../schemas/kinds.ts';
import type { KubeObject } from '../../usecases/resources/kube-object.ts';
import { humanDuration } from './human-duration.ts';
import { findValues, type JsonPath, parseJsonPath } from './json-path.ts';

/** What each row carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  readonly includeObject: IncludeObject;
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface Column {
  readonly definition: PrinterColumn;
  readonly path: JsonPath;
}

const COLUMNS = new Map<string, readonly Column[]>(
  Object.entries(KINDS).map(([kind, { columns }]) => [
    kind,
    columns.map((definition) => ({ definition, path: parseJsonPath(definition.jsonPath) })),
  ]),
);

/** A Table of some objects of one kind. */
export function renderTable(kind: KindName, objects: readonly KubeObject[], options: TableOptions): object {
  const definition: KindDefinition = KINDS[kind];
  const columns = COLUMNS.get(kind) ?? [];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: `Name of the ${definition.singular}`, priority: 0 },
      ...columns.map(({ definition: column }) => ({
        name: column.name,
        type: column.type,
        format: '',
        description: column.jsonPath,
        priority: column.priority ?? 0,
      })),
    ],
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...columns.map((column) => cell(object, column, options.now))],
      ...rowObject(object, options.includeObject),
    })),
  };
}

function cell(object: KubeObject, column: Column, now: number): unknown {
  const values = findValues(object, column.path).flat();
  const first = values[0];
  if (first === undefined || first === null) return null;
  const { type } = column.definition;
  if (type === 'date') return typeof first === 'string' ? humanDuration(now - Date.parse(first)) : null;
  if (type !== 'string') return first;
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(',');
}

function rowObject(object: KubeObject, include: IncludeObject): { object?: unknown } {
  if (include === 'None') return {};
  if (include === 'Object') return { object };
  return { object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } };
}
