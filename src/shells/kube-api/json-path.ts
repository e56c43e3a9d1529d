/** The JSONPath of printer columns: fields, [0], [*], and filters such as [?(@.type=="Ready")]. */
import { isRecord } from '../../usecases/resources/kube-object.ts';

type Step =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'every' }
  | { readonly type: 'filter'; readonly path: readonly Step[]; readonly value: string };

const TOKEN =
  /\.(?<field>[A-Za-z_][\w-]*)|\[(?<index>\d+)\]|\[(?<every>\*)\]|\[\?\(@(?<path>(?:\.[A-Za-z_][\w-]*)+)\s*==\s*(?:"(?<double>[^"]*)"|'(?<single>[^']*)')\)\]/y;

export type JsonPath = readonly Step[];

/** Parses a path. @throws {Error} for anything beyond the forms above: paths are written by us, so that is a bug */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) throw new Error(`unsupported JSONPath at ${at}: ${text}`);
    steps.push(toStep(groups));
  }
  return steps;
}

function toStep(groups: Record<string, string | undefined>): Step {
  const { field, index, every, path, double, single } = groups;
  if (field !== undefined) return { type: 'field', name: field };
  if (index !== undefined) return { type: 'index', index: Number(index) };
  if (every !== undefined) return { type: 'every' };
  return { type: 'filter', path: parseJsonPath(path ?? ''), value: double ?? single ?? '' };
}

/** All values at the path, in order; none when it leads nowhere. */
export function findValues(root: unknown, path: JsonPath): unknown[] {
  return path.reduce<unknown[]>((values, step) => values.flatMap((value) => walk(value, step)), [root]);
}

function walk(value: unknown, step: Step): unknown[] {
  if (step.type === 'field') return isRecord(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
  if (!Array.isArray(value)) return [];
  if (step.type === 'every') return value;
  if (step.type === 'index') return step.index < value.length ? [value[step.index]] : [];
  return value.filter((item) => findValues(item, step.path).some((found) => String(found) === step.value));
}
