/** deploy/images/Dockerfile, which needs Docker and a registry, and tools/images, which needs neither, make the same images. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage, imageFolder } from '../../tools/images/build.ts';
import { createImages, filesIn, type Images, removeImages, whyNoDockerfile } from '../../tools/images/by-dockerfile.ts';
import { entrypointOf, IMAGE_PROGRAM, IMAGE_ROLES, USERS } from '../../tools/images/images.ts';

const BUILD_MS = 3_600_000;
const why = await whyNoDockerfile();
if (why !== undefined) console.warn(`SKIPPED: the Dockerfile was not built: ${why}`);

let folder: string;
let images: Images;
beforeAll(async () => {
  if (why !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'holdfast-images-'));
  images = await createImages(folder);
});
afterAll(async () => {
  if (folder === undefined) return;
  await removeImages(folder);
  await rm(folder, { recursive: true, force: true });
});

/** Packages with their versions, as dpkg has noted them. */
async function packagesIn(root: string): Promise<readonly string[]> {
  const status = await readFile(join(root, 'var/lib/dpkg/status'), 'utf8');
  return [...status.matchAll(/^Package: (.+)$[^]*?^Version: (.+)$/gm)]
    .map(([, name, version]) => `${name} ${version}`)
    .toSorted();
}

test.skipIf(why !== undefined).each(IMAGE_ROLES)('the %s', { timeout: BUILD_MS }, async (role) => {
  const [byDockerfile, byScript] = [
    await images.build(role),
    await images.unpack(await buildImage(role, (line) => console.log(line))),
  ];
  const older = `other versions? then what is kept of an older Debian has to go: ${imageFolder()}/debian-*.tar`;
  expect(await packagesIn(byDockerfile), older).toEqual(await packagesIn(byScript));
  expect(await filesIn(byDockerfile)).toEqual(await filesIn(byScript));
  // The program itself: the chunks are called by what is in them.
  const main = join(IMAGE_PROGRAM, 'main.mjs');
  expect(await readFile(join(byDockerfile, main), 'utf8')).toBe(await readFile(join(byScript, main), 'utf8'));
  const { Entrypoint, User } = await images.configOf(role);
  expect({ Entrypoint, User }).toEqual({ Entrypoint: entrypointOf(role), User: USERS[role] });
});
