/** Makes the images without Docker and a registry: a Debian root by mmdebstrap, Node and the bundle on top, packed as OCI. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { findProgramFiles, type ProgramFiles } from '../../src/adapters/install/release.ts';
import { VERSION } from '../../src/main/version.ts';
import { ROOT, runTool } from '../project.ts';
import {
  COMMAND,
  entrypointOf,
  IMAGE_PROGRAM,
  type ImageRole,
  imageName,
  packagesOf,
  SERVICES,
  SUITE,
  USERS,
} from './images.ts';
import { makeTar, writeImage } from './oci-archive.ts';

/** Measured on two cores: under two minutes for the larger one. */
const ROOT_MS = 1_800_000;
const KEEP_MS = 30 * 60_000;
/** What nobody reads in a container. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

type Say = (line: string) => void;

/** Where images are kept; they are large, and no part of the project. */
export function imageFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast/images');
}

/**
 * Makes the image of a role, of the bundle in dist/ and the Node that runs this. One of the same contents is taken as it is.
 *
 * @param tag - the program's version when left out
 * @param packageFolder - whose dist/ it is; this project's when left out
 * @returns path of an OCI archive
 * @throws {Error} with what mmdebstrap or tar said
 */
export async function buildImage(
  role: ImageRole,
  say: Say,
  tag: string = VERSION,
  packageFolder: string = ROOT,
): Promise<string> {
  const program = await findProgramFiles({ packageFolder, node: process.execPath, version: VERSION });
  const root = await debianRoot(role, packagesOf(role), say);
  const files = [COMMAND, SERVICES].map(({ source }) => readFileSync(source, 'utf8'));
  const key = digest([root.key, program.name, entrypointOf(role).join(' '), USERS[role], ...files]);
  const target = join(imageFolder(), `${role}-${tag}-${key}.tar`);
  if (existsSync(target)) return target;
  const work = await mkdtemp(join(imageFolder(), 'work-'));
  try {
    const own = await programLayer(role, program, work);
    const image = {
      name: imageName(role, tag),
      layers: [root.path, own],
      entrypoint: entrypointOf(role),
      user: USERS[role],
    };
    await writeImage(image, target);
    await removeOld(`${role}-${tag}-`, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  say(`${target} is made`);
  return target;
}

/** Of a program that has changed since; one that is being imported somewhere is left for a while. */
async function removeOld(prefix: string, current: string): Promise<void> {
  for (const name of await readdir(imageFolder())) {
    const path = join(imageFolder(), name);
    if (!name.startsWith(prefix) || !name.endsWith('.tar') || path === current) continue;
    const info = await stat(path).catch(() => undefined); // another build was faster
    if (info !== undefined && Date.now() - info.mtimeMs > KEEP_MS) await rm(path, { force: true });
  }
}

/**
 * Debian with these packages beyond those that every system has; made once for a list of packages.
 *
 * @param name - of what it is for
 * @returns path of the archive, and what tells it from others
 * @throws {Error} with what mmdebstrap said
 */
export async function debianRoot(
  name: string,
  packages: readonly string[],
  say: Say,
): Promise<{ readonly path: string; readonly key: string }> {
  const key = digest([SUITE, ...LEFT_OUT, ...packages]);
  const path = join(imageFolder(), `debian-${name}-${key}.tar`);
  if (existsSync(path)) return { path, key };
  await mkdir(imageFolder(), { recursive: true });
  say(`making the Debian of the ${name}'s image, of ${packages.length} packages`);
  const made = `${path}.${process.pid}.tar`;
  const options = ['--variant=minbase', '--aptopt=APT::Install-Recommends "false"'];
  const included = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const args = [...options, ...included, ...LEFT_OUT.map((each) => `--dpkgopt=path-exclude=${each}`), SUITE, made];
  // The mirror is the one that apt is set to on this machine, or Debian's own.
  const { code, output } = await runTool({ file: 'mmdebstrap', args, timeoutMs: ROOT_MS, output: 'capture' });
  if (code !== 0) throw new Error(`mmdebstrap (Debian's package of that name) ended with ${code}: ${output}`);
  await rename(made, path);
  return { path, key };
}

async function programLayer(role: ImageRole, program: ProgramFiles, work: string): Promise<string> {
  const tree = join(work, 'tree');
  const folder = join(tree, IMAGE_PROGRAM);
  await mkdir(join(folder, 'chunks'), { recursive: true, mode: 0o755 });
  await linkOrCopy(program.node, join(folder, 'node'));
  await copyFile(program.entry, join(folder, 'main.mjs'));
  for (const chunk of program.chunks) await copyFile(chunk, join(folder, 'chunks', basename(chunk)));
  for (const { source, target } of role === 'node' ? [COMMAND, SERVICES] : [COMMAND]) {
    await mkdir(dirname(join(tree, target)), { recursive: true, mode: 0o755 });
    await copyFile(source, join(tree, target));
  }
  const layer = join(work, 'program.tar');
  await makeTar(tree, ['.'], layer);
  return layer;
}

/** Node is large, and most often on the same file system. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to)); // of another file system, or owned by somebody else
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}
