/** Adds machines and volumes that exist to the text of a plan; comments, order and everything else stay as they were written. */
import { isMap, isSeq, parseDocument } from 'yaml';
import { AppError } from '../../domain/errors.ts';
import type { PlanFile, PlanNode, PlanVolume } from '../../schemas/plan-file.ts';

/** What a plan begins with that is made of nothing but what was found. */
export const ADOPTED_HEADER = `# Written by "holdfast plan adopt": a pool that exists, as it was found.
# See what applying it changes with: holdfast plan diff -f FILE; then: holdfast plan apply -f FILE
# The bricks of an adopted volume are never formatted, moved or erased.
`;

/**
 * The text with these machines and volumes more, and `expected_count` raised to match. The result is not checked: parse it.
 *
 * @param text - a plan that passed its checks, or nothing but comments
 * @param ssh - only written where the plan says nothing about it
 */
export function addAdoptedToPlan(
  text: string,
  found: {
    readonly nodes: readonly PlanNode[];
    readonly volumes: readonly PlanVolume[];
    readonly ssh?: PlanFile['ssh'];
  },
): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents))) {
    throw new AppError('invalid', 'the plan is not YAML that anything can be added to', {
      hint: 'see what is wrong with: holdfast plan validate -f FILE',
    });
  }
  const append = (path: readonly string[], items: readonly unknown[]): number => {
    const list = document.getIn(path);
    if (isSeq(list)) for (const item of items) list.add(document.createNode(item));
    else document.setIn(path, document.createNode(items));
    return isSeq(list) ? list.items.length : items.length;
  };
  if (found.nodes.length > 0) {
    const count = append(['storage', 'nodes'], found.nodes);
    document.setIn(['storage', 'expected_count'], count);
  }
  if (found.volumes.length > 0) append(['volumes'], found.volumes);
  if (found.ssh !== undefined && document.get('ssh') === undefined) document.set('ssh', document.createNode(found.ssh));
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}
