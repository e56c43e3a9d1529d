/** Writes an image as an OCI archive (image-spec: image layout), as `ctr image import`, `docker load` and `skopeo` take it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runTool } from '../project.ts';

const TAR_MS = 300_000;

export interface ImageSource {
  /** With its tag. */
  readonly name: string;
  /** Archives by tar, not compressed, lowest first; on the file system of the target. */
  readonly layers: readonly string[];
  readonly entrypoint: readonly string[];
  /** Folder that it starts in; the top when left out. */
  readonly workingFolder?: string;
  /** "65532:65532" */
  readonly user?: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** @param target - path of the archive; replaced in one step */
export async function writeImage(source: ImageSource, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(`${target}.`);
  try {
    const blobs = join(folder, 'blobs/sha256');
    await mkdir(blobs, { recursive: true });
    const layers = await Promise.all(source.layers.map((path) => addLayer(blobs, path)));
    const config = await addJson(blobs, 'application/vnd.oci.image.config.v1+json', configOf(source, layers));
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = await addJson(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers });
    // containerd reads the whole name from the first, others the second.
    const annotations = {
      'io.containerd.image.name': source.name,
      'org.opencontainers.image.ref.name': source.name.split(':').at(-1),
    };
    await writeJson(join(folder, 'index.json'), { schemaVersion: 2, manifests: [{ ...manifest, annotations }] });
    await writeJson(join(folder, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
    await makeTar(folder, ['oci-layout', 'index.json', 'blobs'], `${folder}.tar`);
    await rename(`${folder}.tar`, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.tar`, { force: true });
  }
}

/** Packs names of a folder; the same contents are the same archive, whoever packs them and when. */
export async function makeTar(folder: string, names: readonly string[], target: string): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const args = ['-C', folder, ...same, '-cf', target, '--', ...names];
  const { code, output } = await runTool({ file: 'tar', args, timeoutMs: TAR_MS, output: 'capture' });
  if (code !== 0) throw new Error(`tar of ${folder} ended with ${code}: ${output}`);
}

async function addLayer(blobs: string, path: string): Promise<Descriptor> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const hex = hash.digest('hex');
  await link(path, join(blobs, hex));
  const { size } = await stat(path);
  return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${hex}`, size };
}

async function addJson(blobs: string, mediaType: string, value: object): Promise<Descriptor> {
  const text = JSON.stringify(value);
  const hex = createHash('sha256').update(text).digest('hex');
  await writeFile(join(blobs, hex), text);
  return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
}

function configOf({ entrypoint, user, workingFolder }: ImageSource, layers: readonly Descriptor[]): object {
  return {
    ...{ architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' },
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: entrypoint,
      ...(user === undefined ? {} : { User: user }),
      ...(workingFolder === undefined ? {} : { WorkingDir: workingFolder }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  };
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}
