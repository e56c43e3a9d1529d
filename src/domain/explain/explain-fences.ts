/** Which nodes a volume refuses, and at which copies that has shown. Pure. */
import type { Volume } from '../../schemas/volume.ts';

export interface ExplainedFence {
  /** The node that is fenced. */
  readonly node: string;
  /** One sentence. Whether the fence as a whole is held is with `holdfast node show`. */
  readonly message: string;
  /** Nodes whose copies have shown that it is cut off, and those whose copies have not. */
  readonly shownBy: readonly string[];
  readonly missing: readonly string[];
}

/** As the agent of the anchor has reported it; nothing before it has. */
export function explainFences({ status }: Pick<Volume, 'status'>): readonly ExplainedFence[] {
  const placement = status?.placement ?? [];
  return (status?.engine?.fences ?? []).map(({ node, isRefused, copies, message }) => {
    const nodesWhere = (isShown: boolean) =>
      placement.filter(({ copy }) => (copies[copy] !== undefined) === isShown).map((placed) => placed.node);
    const [shownBy, missing] = [nodesWhere(true), nodesWhere(false)];
    return { node, shownBy, missing, message: sentence({ node, isRefused, missing, message }) };
  });
}

function sentence({
  node,
  isRefused,
  missing,
  message,
}: {
  readonly node: string;
  readonly isRefused: boolean;
  readonly missing: readonly string[];
  readonly message: string | undefined;
}): string {
  const why = message === undefined ? '' : `: ${message}`;
  if (!isRefused) return `node ${node} is fenced, and the volume does not refuse it yet${why}`;
  if (missing.length === 0) return `node ${node} is fenced, and every copy has shown that it is cut off`;
  const where = missing.join(', ');
  return `node ${node} is fenced and refused; not shown yet by the copy on ${where}, where it may still write${why}`;
}
