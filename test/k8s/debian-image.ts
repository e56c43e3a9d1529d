/** Images of Debian's own programs, for pods of the documents' manifests: made once, without Docker and a registry. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { imageFolder } from '../../tools/images/build.ts';
import { SUITE } from '../../tools/images/images.ts';
import { writeImage } from '../../tools/images/oci-archive.ts';
import { runTool } from '../../tools/project.ts';

const MAKE_MS = 900_000;
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];

export interface DebianImage {
  /** With its tag. */
  readonly name: string;
  readonly packages: readonly string[];
  /** That it starts in, as the image of the manifest does. */
  readonly workingFolder: string;
}

/** @returns path of the archive */
export async function makeDebianImage({ name, packages, workingFolder }: DebianImage): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([SUITE, name, packages, workingFolder, LEFT_OUT]))
    .digest('hex')
    .slice(0, 12);
  const target = join(imageFolder(), `test-${packages[0]}-${key}.tar`);
  if (existsSync(target)) return target;
  await mkdir(imageFolder(), { recursive: true });
  const root = `${target}.${process.pid}.root`;
  const options = ['--variant=minbase', '--format=tar', '--aptopt=APT::Install-Recommends "false"'];
  // Where Java's package makes links, whatever is left out.
  const manuals = '--essential-hook=mkdir -p "$1/usr/share/man/man1"';
  const excluded = LEFT_OUT.map((each) => `--dpkgopt=path-exclude=${each}`);
  const args = [...options, `--include=${packages.join(',')}`, ...excluded, manuals, SUITE, root];
  try {
    const { code, output } = await runTool({ file: 'mmdebstrap', args, timeoutMs: MAKE_MS, output: 'capture' });
    if (code !== 0) throw new Error(`mmdebstrap (Debian's package of that name) ended with ${code}: ${output}`);
    await writeImage({ name, layers: [root], entrypoint: ['/bin/sleep', 'infinity'], workingFolder }, target);
  } finally {
    await rm(root, { force: true });
  }
  return target;
}
