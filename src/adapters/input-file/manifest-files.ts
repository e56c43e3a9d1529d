/** Manifests on disk and from standard input. */
import { stat } from 'node:fs/promises';
import { AppError } from '../../domain/errors.ts';
import type { HostFiles } from '../../ports/host.ts';
import { type InputDeps, readInput } from './read-input.ts';

/** Larger than anything that the API server takes in one call. */
const MAX_BYTES = 4 * 1024 * 1024;
const MANIFEST = {
  noun: 'manifest',
  maxBytes: MAX_BYTES,
  hint: 'name a file, or - for standard input',
  pipe: '-',
};

/** Creates the reader and writer. */
export function createManifestFiles(deps: InputDeps & { readonly files: Pick<HostFiles, 'writeText'> }): {
  read(path: string): Promise<string>;
  replace(path: string, text: string): Promise<void>;
} {
  return {
    read: async (path) => decode(await readInput(deps, path, MANIFEST), path),
    replace: async (path, text) => deps.files.writeText(path, text, { mode: (await stat(path)).mode & 0o777 }),
  };
}

function decode(content: Uint8Array, path: string): string {
  if (content.byteLength > MAX_BYTES) {
    throw new AppError('invalid', `${path} is larger than 4 MiB, the limit for manifests`, {
      reason: 'ManifestTooLarge',
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    throw new AppError('invalid', `${path} is not a text file in UTF-8`, { reason: 'ManifestNotText', cause: error });
  }
}
