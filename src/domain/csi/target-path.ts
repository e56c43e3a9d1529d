/** Paths that a caller of the node service names, and where they may be. */
import { AppError } from '../errors.ts';
import { isPlainPath } from '../paths.ts';

/** Of the kernel, in bytes: PATH_MAX without the zero, and NAME_MAX. */
const MAX_PATH = 4_095;
const MAX_NAME = 255;

/**
 * Reads a path of a call.
 *
 * @param field - of the call: "target_path"
 * @param root - folder that it has to be in
 * @returns the path, and its parts from the root on as paths: each must be a folder and no symlink
 * @throws {AppError} invalid
 */
export function parseTargetPath(
  field: string,
  path: string,
  root: string,
): { readonly path: string; readonly parts: readonly string[] } {
  if (path === '') throw new AppError('invalid', `the call has no ${field}`);
  const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  const fault = pathFault(plain, root);
  if (fault !== undefined) {
    throw new AppError('invalid', `${field} ${fault}`, { hint: `write an absolute path below ${root}` });
  }
  const names = plain.slice(root.length + 1).split('/');
  return { path: plain, parts: names.map((_name, index) => [root, ...names.slice(0, index + 1)].join('/')) };
}

function pathFault(path: string, root: string): string | undefined {
  if (!path.isWellFormed()) return 'is no text';
  if (bytesOf(path) > MAX_PATH) return `is longer than ${MAX_PATH} bytes`;
  if (path.split('/').some((name) => bytesOf(name) > MAX_NAME))
    return `has a name of more than ${MAX_NAME} bytes in it`;
  if (!isPlainPath(path) || path.includes('\ufffd'))
    return 'is no absolute path without "..", "." and control characters';
  if (!path.startsWith(`${root}/`)) return `is not below ${root}`;
  return undefined;
}

function bytesOf(text: string): number {
  return encodeURIComponent(text).replaceAll(/%../g, '_').length;
}
