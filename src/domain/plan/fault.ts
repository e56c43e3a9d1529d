/** A wrong place in a plan, before it has a line. */

export type PlanPath = readonly (string | number)[];

export interface PlanFault {
  readonly path: PlanPath;
  /** Whether the key itself is wrong, or its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The other place that this one contradicts; shown with its line. */
  readonly other?: PlanPath;
}

/** A path as people write it: storage.nodes[0].ip; "plan" for the whole. */
export function formatPath(path: PlanPath): string {
  if (path.length === 0) return 'plan';
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
