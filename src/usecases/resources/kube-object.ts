/** A Kubernetes object as JSON, before anything is known about its kind. */
import { resourceOf } from '../../schemas/kind-names.ts';
import type { KindDefinition, KindName } from '../../schemas/kinds.ts';
import { KINDS } from '../../schemas/kinds.ts';
import { GROUP } from '../../schemas/own-kind.ts';

/** metadata of an object that the server has stored. */
export interface KubeMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  [field: string]: unknown;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: KubeMeta;
  [field: string]: unknown;
}

export type JsonRecord = Record<string, unknown>;

/** True for a JSON object: not null, not a list. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The definition of a kind, with the optional parts of the table visible to the compiler. */
export function definitionOf(kind: KindName): KindDefinition {
  return KINDS[kind];
}

/** How messages name an object, as Kubernetes does: `volumes.holdfast.dev "gv0"`. */
export function nameObject(definition: KindDefinition, name: string): string {
  return `${resourceOf(definition)} ${JSON.stringify(name)}`;
}

/** True for the kinds of Holdfast's own, false for those of Kubernetes. */
export function isOwnKind(definition: KindDefinition): boolean {
  return definition.group === GROUP;
}
