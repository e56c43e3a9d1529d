/** The parts of oxlint's rule interface and syntax tree (ESTree) that the rules in this folder use; oxlint exports no types for them. */
import { realpathSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Any node; the fields are those of the kinds looked at here. */
export interface AstNode {
  readonly type: string;
  readonly range: readonly [number, number];
  readonly parent?: AstNode | null;
  readonly name?: string;
  readonly value?: unknown;
  readonly source?: AstNode | null;
  readonly importKind?: 'type' | 'value';
  readonly exportKind?: 'type' | 'value';
  readonly specifiers?: readonly AstNode[];
  readonly imported?: AstNode;
  readonly callee?: AstNode;
  readonly object?: AstNode;
  readonly property?: AstNode;
  readonly arguments?: readonly AstNode[];
  readonly elements?: readonly (AstNode | null)[];
  readonly properties?: readonly AstNode[];
  readonly key?: AstNode;
  readonly computed?: boolean;
  readonly declaration?: AstNode | null;
  readonly declarations?: readonly AstNode[];
  readonly id?: AstNode | null;
  readonly init?: AstNode | null;
  readonly expressions?: readonly AstNode[];
  readonly body?: AstNode | readonly AstNode[];
  readonly expression?: AstNode;
}

export interface RuleContext {
  /** Absolute path of the file being linted. */
  readonly filename: string;
  readonly sourceCode: {
    readonly text: string;
    getText(node: AstNode): string;
    getAllComments(): readonly { readonly value: string; readonly range: readonly [number, number] }[];
  };
  report(problem: {
    readonly node: AstNode | { readonly range: readonly [number, number] };
    readonly message: string;
  }): void;
}

export interface LintRule {
  create(context: RuleContext): Readonly<Record<string, (node: AstNode) => void>>;
}

/** The text of a string literal, or undefined for anything else. */
export function literalText(node: AstNode | null | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

/** The name of what a call calls: `f` for f(), `m` for a.b.m(); undefined where it has none. */
export function calledName(call: AstNode): string | undefined {
  const callee = call.callee;
  if (callee?.type === 'Identifier') return callee.name;
  return callee?.type === 'MemberExpression' && callee.computed !== true ? callee.property?.name : undefined;
}

/** "Date.now" for the member expression Date.now; undefined unless it is a plain name on a plain name. */
export function memberPath(node: AstNode | undefined): string | undefined {
  if (node?.type !== 'MemberExpression' || node.computed === true || node.object?.type !== 'Identifier')
    return undefined;
  return `${node.object.name}.${node.property?.name}`;
}

/** The key of an object's property written as a name or a string. */
export function keyName(property: AstNode): string | undefined {
  if (property.type !== 'Property' || property.computed === true) return undefined;
  return property.key?.type === 'Identifier' ? property.key.name : literalText(property.key);
}

/** The project's folder: this file is tools/lint-rules/ast.ts in it. */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** With forward slashes; not by the names in the whole path, for a checkout may lie in a folder called src or test. */
function pathInProject(filename: string): string {
  return relative(ROOT, realpathSync(filename)).split(sep).join('/');
}

/** Path below the project's src/, with forward slashes; undefined for files elsewhere. */
export function pathInSource(filename: string): string | undefined {
  const path = pathInProject(filename);
  return path.startsWith('src/') ? path.slice('src/'.length) : undefined;
}

/** True for a test, and for whatever stands in test/. */
export function isTestFile(filename: string): boolean {
  return filename.endsWith('.test.ts') || pathInProject(filename).startsWith('test/');
}
