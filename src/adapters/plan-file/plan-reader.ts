/** Reads plan files from disk or standard input, never more than a plan can be. */
import { open } from 'node:fs/promises';
import { AppError, type ErrorKind, messageOf } from '../../domain/errors.ts';
import type { PlanReader } from '../../ports/plan-reader.ts';
import { MAX_PLAN_BYTES, parsePlan } from './parse-plan.ts';

/** Creates the reader; `stdin` is what "-" means. */
export function createPlanReader(deps: { readonly stdin: AsyncIterable<Uint8Array | string> }): PlanReader {
  return {
    read: async (path) => {
      if (path === '-') return parsePlan(await readStream(deps.stdin), 'standard input');
      return parsePlan(await readStart(path), path);
    },
  };
}

/** One byte more than allowed is enough to know that it is too much, also of /dev/zero. */
async function readStart(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if (stat.isDirectory()) throw new AppError('invalid', `${path} is a directory, not a plan file`);
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= MAX_PLAN_BYTES) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(parts);
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(path, error);
  }
}

async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    parts.push(bytes);
    length += bytes.byteLength;
    if (length > MAX_PLAN_BYTES) break;
  }
  return Buffer.concat(parts);
}

const KINDS: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  ENOENT: ['notFound', 'there is no such file'],
  ENOTDIR: ['notFound', 'there is no such file'],
  EACCES: ['denied', 'you may not read it'],
  EISDIR: ['invalid', 'it is a directory'],
};

function unreadable(path: string, error: unknown): AppError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const [kind, why] = KINDS[code] ?? (['internal', messageOf(error)] as const);
  return new AppError(kind, `cannot read the plan ${path}: ${why}`, {
    resource: `plan ${path}`,
    hint: 'name the plan file with -f',
    cause: error,
  });
}
