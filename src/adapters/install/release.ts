/** The program as other machines get it: the Node that runs it, the bundle, and the chunks that the bundle names. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { AppError } from '../../domain/errors.ts';

export interface ReleaseSource {
  /** The Holdfast package on this machine. */
  readonly packageFolder: string;
  /** The Node that runs it. */
  readonly node: string;
  readonly version: string;
}

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
const ENTRY = 'main.mjs';
/** How esbuild writes imports of other files of the bundle. */
const IMPORT = /["']\.{1,2}\/((?:chunks\/)?[\w.-]+\.mjs)["']/g;
const DIGEST_LENGTH = 8;

export interface ProgramFiles {
  readonly name: string;
  readonly machine: string;
  /** `node`, then `main.mjs`, then every chunk, absolute. */
  readonly node: string;
  readonly entry: string;
  readonly chunks: readonly string[];
}

/**
 * Finds the files. Chunks of earlier builds that lie beside are left out.
 *
 * @throws {AppError} precondition, when there is no bundle
 */
export async function findProgramFiles({ packageFolder, node, version }: ReleaseSource): Promise<ProgramFiles> {
  const folder = join(packageFolder, 'dist');
  const hash = createHash('sha256').update(process.version);
  const found = new Set<string>([ENTRY]);
  for (const name of found) {
    const text = await readBundle(join(folder, name));
    hash.update(text);
    for (const [, imported = ''] of text.matchAll(IMPORT)) {
      const path = imported.startsWith('chunks/') || imported === ENTRY ? imported : `chunks/${imported}`;
      if (await isFile(join(folder, path))) found.add(path);
    }
  }
  const chunks = [...found].filter((name) => name !== ENTRY).map((name) => join(folder, name));
  return {
    name: `${version}-${hash.digest('hex').slice(0, DIGEST_LENGTH)}`,
    machine: MACHINES[arch()] ?? arch(),
    node,
    entry: join(folder, ENTRY),
    chunks: chunks.toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)),
  };
}

async function readBundle(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError('precondition', `there is no ${path} to copy onto the machines`, {
      reason: 'NoBundle',
      hint: 'install the package of Holdfast again; in a checkout: npm run build',
      cause: error,
    });
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false; // text that only looks like an import
}
