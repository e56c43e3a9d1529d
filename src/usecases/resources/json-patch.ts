/** JSON patch, RFC 6902, with pointers of RFC 6901. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { isRecord } from './kube-object.ts';
import { setKey } from './set-key.ts';

const Operations = z
  .array(
    z.looseObject({
      op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
      path: z.string(),
      from: z.string().optional(),
    }),
  )
  .max(10_000);
type Operation = z.infer<typeof Operations>[number];

/**
 * Returns the document with all operations applied in order, or throws and applies none.
 *
 * @throws {AppError} invalid, naming the operation: malformed (BadRequest), or not possible on this document (Invalid)
 */
export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  const parsed = Operations.safeParse(operations);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError('invalid', `malformed JSON patch at ${issue?.path.join('/') || '/'}: ${issue?.message}`, {
      reason: 'BadRequest',
    });
  }
  let result = structuredClone(document);
  for (const [index, operation] of parsed.data.entries()) {
    try {
      result = applyOperation(result, operation);
    } catch (error) {
      if (!(error instanceof PointerError)) throw error;
      const where = `operation ${index} (${operation.op} ${operation.path})`;
      // As a fault too: kubectl shows only the causes of an Invalid answer.
      throw new AppError('invalid', `JSON patch ${where}: ${error.message}`, {
        reason: 'Invalid',
        faults: [{ field: where, message: error.message }],
      });
    }
  }
  return result;
}

class PointerError extends Error {}

function applyOperation(document: unknown, operation: Operation): unknown {
  const { op, path, from } = operation;
  if (op === 'remove') return removeAt(document, path).document;
  if (op === 'move' || op === 'copy') {
    if (from === undefined) throw new PointerError('"from" is missing');
    if (op === 'copy') return addAt(document, path, structuredClone(valueAt(document, from)));
    if (path.startsWith(`${from}/`)) throw new PointerError('cannot move a value into itself');
    const removed = removeAt(document, from);
    return addAt(removed.document, path, removed.value);
  }
  if (!Object.hasOwn(operation, 'value')) throw new PointerError('"value" is missing');
  const value = structuredClone(operation['value']);
  if (op === 'add') return addAt(document, path, value);
  const current = valueAt(document, path);
  if (op === 'test') {
    if (!isDeepStrictEqual(current, value)) throw new PointerError(`the value is ${JSON.stringify(current)}`);
    return document;
  }
  return path === '' ? value : addAt(removeAt(document, path).document, path, value);
}

function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new PointerError('a path begins with "/"');
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function listIndex(list: readonly unknown[], token: string, end: number): number {
  if (!/^(?:0|[1-9]\d*)$/.test(token) || Number(token) > end) {
    throw new PointerError(`there is no index ${JSON.stringify(token)} in a list of ${list.length}`);
  }
  return Number(token);
}

function child(parent: unknown, token: string): unknown {
  if (Array.isArray(parent)) return parent[listIndex(parent, token, parent.length - 1)];
  if (isRecord(parent) && Object.hasOwn(parent, token)) return parent[token];
  throw new PointerError(`there is no ${JSON.stringify(token)}`);
}

function valueAt(document: unknown, pointer: string): unknown {
  return parsePointer(pointer).reduce(child, document);
}

function addAt(document: unknown, pointer: string, value: unknown): unknown {
  const tokens = parsePointer(pointer);
  const last = tokens.pop();
  if (last === undefined) return value;
  const parent = tokens.reduce(child, document);
  if (Array.isArray(parent))
    parent.splice(last === '-' ? parent.length : listIndex(parent, last, parent.length), 0, value);
  else if (isRecord(parent)) setKey(parent, last, value);
  else throw new PointerError('its parent is neither an object nor a list');
  return document;
}

function removeAt(document: unknown, pointer: string): { document: unknown; value: unknown } {
  const tokens = parsePointer(pointer);
  const last = tokens.pop();
  if (last === undefined) return { document: null, value: document };
  const parent = tokens.reduce(child, document);
  const value = child(parent, last);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isRecord(parent)) delete parent[last];
  return { document, value };
}
