/** Adds a machine to the text of a plan; comments, order and everything else stay as they were written. */
import { type Document, isMap, isSeq, parseDocument } from 'yaml';
import { AppError } from '../../domain/errors.ts';

export interface NewNode {
  readonly host: string;
  readonly ip: string;
  readonly internalip?: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pools?: readonly { readonly name: string; readonly path: string; readonly device?: string }[];
}

const NODES = ['storage', 'nodes'];
const COUNT = ['storage', 'expected_count'];

/**
 * The text with one node more and `expected_count` raised to match. The result is not checked: parse it.
 *
 * @param text - a plan that passed its checks
 */
export function addNodeToPlan(text: string, node: NewNode): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !(document.contents === null || isMap(document.contents))) {
    throw new AppError('invalid', 'the plan is not YAML that a node can be added to', {
      hint: 'see what is wrong with: holdfast plan validate -f FILE',
    });
  }
  const nodes = document.getIn(NODES);
  if (isSeq(nodes)) nodes.add(document.createNode(node));
  else document.setIn(NODES, document.createNode([node]));
  const count = nodes === undefined || !isSeq(nodes) ? 1 : nodes.items.length;
  setCount(document, count);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** In place, so that a comment behind the number stays. */
function setCount(document: Document, count: number): void {
  document.setIn(COUNT, count);
}
