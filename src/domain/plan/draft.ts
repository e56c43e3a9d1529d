/**
 * A plan as it was written, wrong or not: reads fields out of unchecked data, so that rules over the whole plan are
 * checked, and told, beside faults of single fields.
 */
import type { PlanPath } from './fault.ts';

export interface DraftItem {
  readonly path: PlanPath;
  readonly value: unknown;
}

export interface DraftText extends DraftItem {
  readonly value: string;
}

/** The value at a path below an item; undefined where there is none. */
export function field(item: DraftItem, ...names: readonly string[]): DraftItem {
  let value = item.value;
  for (const name of names) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name);
    value = isObject ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  }
  return { path: [...item.path, ...names], value };
}

/** The entries of a list; none where it is no list. */
export function entries(item: DraftItem): readonly DraftItem[] {
  if (!Array.isArray(item.value)) return [];
  return item.value.map((value: unknown, index) => ({ path: [...item.path, index], value }));
}

/** The item as text; undefined when it is something else or empty. */
export function asText(item: DraftItem): DraftText | undefined {
  return typeof item.value === 'string' && item.value !== '' ? { path: item.path, value: item.value } : undefined;
}

/** The names of the nodes of a plan and where they are written. */
export function draftNodes(plan: unknown): readonly DraftItem[] {
  return entries(field({ path: [], value: plan }, 'storage', 'nodes'));
}

/** The volumes of a plan. */
export function draftVolumes(plan: unknown): readonly DraftItem[] {
  return entries(field({ path: [], value: plan }, 'volumes'));
}
