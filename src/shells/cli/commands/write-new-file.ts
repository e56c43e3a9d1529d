/** Writes files that a command makes for a person, never over one that is there. */
import { writeFile } from 'node:fs/promises';
import { AppError, type ErrorKind, messageOf } from '../../../domain/errors.ts';

const FAILURES: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  EEXIST: ['exists', 'it is there already'],
  ENOENT: ['notFound', 'its folder is not there'],
  ENOTDIR: ['notFound', 'its folder is not there'],
  EACCES: ['denied', 'you may not write there'],
  EROFS: ['denied', 'the file system is read-only'],
  ENOSPC: ['capacity', 'the file system is full'],
};

/** @throws {AppError} exists, notFound, denied or capacity */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    const [kind, why] = FAILURES[code] ?? (['internal', messageOf(error)] as const);
    throw new AppError(kind, `cannot write ${path}: ${why}`, {
      hint: kind === 'exists' ? 'name another file with -f, or move that one away' : 'name another file with -f',
      cause: error,
    });
  }
}
