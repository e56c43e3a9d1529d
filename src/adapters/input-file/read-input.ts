/** Reads a file that a person names, or standard input, never more than such a file can be. */
import { open, stat } from 'node:fs/promises';
import { AppError, type ErrorKind, messageOf } from '../../domain/errors.ts';

/** What standard input is. */
export interface InputDeps {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly destroy?: () => unknown };
  /** Ctrl-C: whoever feeds standard input may never end it. */
  readonly signal?: AbortSignal;
}

/** What is read, for limits and messages. */
export interface InputKind {
  /** "plan", as in "plan file". */
  readonly noun: string;
  /** At most one byte more is read: enough to know that it is too much. */
  readonly maxBytes: number;
  /** For a file that cannot be read. */
  readonly hint: string;
  /** The words that read standard input, such as "-f -". */
  readonly pipe: string;
}

/** The bytes of a file, or of standard input for "-". @throws {AppError} notFound, denied, invalid or cancelled */
export async function readInput(deps: InputDeps, path: string, kind: InputKind): Promise<Uint8Array> {
  return path === '-' ? readStream(deps, kind.maxBytes) : readStart(path, kind);
}

/** One byte more than allowed is enough to know that it is too much, also of /dev/zero. */
async function readStart(path: string, kind: InputKind): Promise<Uint8Array> {
  const { noun, maxBytes } = kind;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new AppError('invalid', `${path} is a directory, not a ${noun} file`);
    // To open one waits for whoever writes into it, for ever and against every signal. What a shell passes as <(...) is open.
    if (found.isFIFO() && !/^\/(?:dev\/fd|proc\/self\/fd)\//.test(path)) {
      throw new AppError('invalid', `${path} is a named pipe, not a ${noun} file`, {
        hint: `write: ${kind.pipe} < ${path}`,
      });
    }
    await using file = await open(path, 'r');
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length <= maxBytes) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
      if (bytesRead === 0) break;
      parts.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(parts);
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(path, kind, error);
  }
}

async function readStream({ stdin, signal }: InputDeps, maxBytes: number): Promise<Uint8Array> {
  const input = stdin[Symbol.asyncIterator]();
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new AppError('cancelled', 'interrupted'));
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    while (length <= maxBytes) {
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

function unreadable(path: string, { noun, hint }: InputKind, error: unknown): AppError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const [kind, why] = KINDS[code] ?? (['internal', messageOf(error)] as const);
  return new AppError(kind, `cannot read the ${noun} ${path}: ${why}`, {
    resource: `${noun} ${path}`,
    hint,
    cause: error,
  });
}
