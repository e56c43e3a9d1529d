/** Reads plan files from disk or standard input, never more than a plan can be. */
import { open, stat } from 'node:fs/promises';
import { AppError, type ErrorKind, messageOf } from '../../domain/errors.ts';
import type { PlanReader } from '../../ports/plan-reader.ts';
import { MAX_PLAN_BYTES, parsePlan } from './parse-plan.ts';

interface PlanReaderDeps {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly destroy?: () => unknown };
  /** Ctrl-C: whoever feeds standard input may never end it. */
  readonly signal?: AbortSignal;
}

/** Creates the reader; `stdin` is what "-" means. */
export function createPlanReader(deps: PlanReaderDeps): PlanReader {
  return {
    read: async (path) => {
      if (path === '-') return parsePlan(await readStream(deps), 'standard input');
      return parsePlan(await readStart(path), path);
    },
  };
}

/** One byte more than allowed is enough to know that it is too much, also of /dev/zero. */
async function readStart(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new AppError('invalid', `${path} is a directory, not a plan file`);
    // To open one waits for whoever writes into it, for ever and against every signal. What a shell passes as <(...) is open.
    if (found.isFIFO() && !/^\/(?:dev\/fd|proc\/self\/fd)\//.test(path)) {
      throw new AppError('invalid', `${path} is a named pipe, not a plan file`, { hint: `write: -f - < ${path}` });
    }
    await using file = await open(path, 'r');
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

async function readStream({ stdin, signal }: PlanReaderDeps): Promise<Uint8Array> {
  const input = stdin[Symbol.asyncIterator]();
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new AppError('cancelled', 'interrupted'));
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    while (length <= MAX_PLAN_BYTES) {
      const { done, value } = await Promise.race([input.next(), stopped]);
      if (done === true) return Buffer.concat(parts);
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      parts.push(bytes);
      length += bytes.byteLength;
    }
  } catch (error) {
    // It would keep the process from ending.
    stdin.destroy?.();
    throw error;
  }
  stdin.destroy?.();
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
