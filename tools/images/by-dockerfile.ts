/**
 * Makes the images as deploy/images/Dockerfile says, without Docker and a registry: by buildah, in a chroot, from base images that are
 * made here of Debian's packages. For the test that holds both ways of making them against each other.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NeededProgram } from '../../src/domain/needed-programs.ts';
import { ROOT, runTool } from '../project.ts';
import { prepareHost } from '../test/prepare-host.ts';
import { debianRoot } from './build.ts';
import type { ImageRole } from './images.ts';

const BUILD_MS = 30 * 60_000;
const COMMAND_MS = 60_000;
const DEBIAN = 'localhost/holdfast-debian:base';
const NODE = 'localhost/holdfast-node:base';
/** Of Debian's package nodejs or of Node itself; the build wants it to fetch what it bundles. */
const NPM_FOLDERS = ['/usr/lib/node_modules/npm', '/usr/local/lib/node_modules/npm', '/usr/share/nodejs/npm'];

/** Programs of Debian that are wanted for it. */
const PROGRAMS: readonly NeededProgram[] = [
  { program: 'buildah', debianPackage: 'buildah' },
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap' },
];

/** Installs what it needs. @returns why the Dockerfile cannot be tried on this machine, or undefined when it can */
export async function whyNoDockerfile(): Promise<string | undefined> {
  const reason = await prepareHost(PROGRAMS);
  if (reason !== undefined) return reason;
  return npmFolder() === undefined ? `there is no npm in ${NPM_FOLDERS.join(', ')}` : undefined;
}

function npmFolder(): string | undefined {
  return NPM_FOLDERS.find((folder) => existsSync(join(folder, 'bin/npm-cli.js')));
}

export interface Images {
  /** Makes the image of a role by the Dockerfile, and gives the folder with its files. */
  build(role: ImageRole): Promise<string>;
  /** The folder with the files of an OCI archive. */
  unpack(archive: string): Promise<string>;
  /** What an image of the last {@link build} of a role runs, and as whom. */
  configOf(role: ImageRole): Promise<{ readonly Entrypoint: readonly string[]; readonly User: string }>;
}

/** @param folder - of the caller, for everything; {@link removeImages} takes it away */
export async function createImages(folder: string): Promise<Images> {
  const buildah = createBuildah(folder);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await writeAccess(folder);
  await makeBases(buildah, folder);
  const mount = async (container: string): Promise<string> => buildah('mount', container);
  return {
    build: async (role) => {
      await buildah(
        ...['bud', '--isolation', 'chroot', '--pull-never', ...policy(folder), ...access(folder)],
        ...['--build-arg', `NODE=${NODE}`, '--build-arg', `DEBIAN=${DEBIAN}`],
        ...['--target', role, '--tag', tagOf(role), '--file', join(ROOT, 'deploy/images/Dockerfile'), ROOT],
      );
      return mount(await buildah('from', '--pull-never', ...policy(folder), tagOf(role)));
    },
    unpack: async (archive) => mount(await buildah('from', ...policy(folder), `oci-archive:${archive}`)),
    configOf: async (role) => {
      const words = '{{.OCIv1.Config.User}}{{range .OCIv1.Config.Entrypoint}} {{.}}{{end}}';
      const text = await buildah('inspect', '--type', 'image', '--format', words, tagOf(role));
      const [User = '', ...Entrypoint] = text.split(' ');
      return { User, Entrypoint };
    },
  };
}

/** Takes away what {@link createImages} has made in the folder. */
export async function removeImages(folder: string): Promise<void> {
  const buildah = createBuildah(folder);
  await buildah('umount', '--all');
  await buildah('rm', '--all');
  await buildah('rmi', '--all', '--force');
  await rm(folder, { recursive: true, force: true });
}

const tagOf = (role: ImageRole): string => `localhost/holdfast-${role}:dockerfile`;
const policy = (folder: string): readonly string[] => ['--signature-policy', join(folder, 'policy.json')];

type Buildah = (...args: readonly string[]) => Promise<string>;

/** @throws {Error} with what buildah said */
function createBuildah(folder: string): Buildah {
  const where = ['--storage-driver', 'vfs', '--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  return async (...args) => {
    const call = { file: 'buildah', args: [...where, ...args], timeoutMs: BUILD_MS };
    const { code, output } = await runTool({ ...call, output: 'capture' });
    if (code !== 0) throw new Error(`buildah ${args[0] ?? ''} ended with ${code}: ${output.slice(-4000)}`);
    return output.trim().split('\n').at(-1) ?? '';
  };
}

/** Which registry npm asks on this machine, and whom it trusts there: Node does not read the machine's own authorities. Nothing else of npm's settings. */
async function writeAccess(folder: string): Promise<void> {
  const { code, output } = await runTool({
    file: 'npm',
    args: ['config', 'get', 'registry'],
    timeoutMs: COMMAND_MS,
    output: 'capture',
  });
  if (code !== 0) throw new Error(`npm does not say which registry it asks: ${output}`);
  const registry = output.split('\n').find((line) => line.startsWith('http')) ?? '';
  await writeFile(join(folder, 'npmrc'), `registry=${registry}\ncafile=/root/.npm-authorities.crt\n`);
}

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';
// Not at their own place: there the package of the authorities writes.
const access = (folder: string): readonly string[] => [
  ...[
    '--volume',
    `${join(folder, 'npmrc')}:/root/.npmrc:ro`,
    '--volume',
    `${AUTHORITIES}:/root/.npm-authorities.crt:ro`,
  ],
];

/** As debian:bookworm-slim and node:24-bookworm-slim: the same Debian, and Node with npm on it. */
async function makeBases(buildah: Buildah, folder: string): Promise<void> {
  const { path: archive } = await debianRoot('base', [], (line) => console.log(line));
  const container = await buildah('from', '--pull-never', ...policy(folder), 'scratch');
  await buildah('add', '--quiet', container, archive, '/');
  await buildah('commit', '--quiet', ...policy(folder), container, DEBIAN);
  await buildah('add', '--quiet', container, process.execPath, '/usr/local/bin/node');
  await buildah('add', '--quiet', container, npmFolder() ?? '', '/usr/local/lib/node_modules/npm');
  const link = ['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm'];
  await buildah('run', '--isolation', 'chroot', container, '--', ...link);
  await buildah('commit', '--quiet', ...policy(folder), container, NODE);
  await buildah('rm', container);
}

/** What differs between two machines that install the same packages: caches, logs, what mmdebstrap is told to leave out, and what buildah adds. */
const INCIDENTAL =
  /^\/(?:dev|proc|sys|run|tmp|root|var\/cache|var\/log|var\/lib\/apt|var\/lib\/dpkg|usr\/share\/(?:doc|man|locale|info)|etc\/apt|etc\/hosts)(?:\/|$)/;

/** Paths of all files and links below a folder that matter to what runs there, links with what they lead to. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map(async (entry) => {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(folder.length);
      return entry.isSymbolicLink() ? `${path} -> ${await readlink(full)}` : path;
    });
  return (await Promise.all(paths)).filter((path) => !INCIDENTAL.test(path.split(' ', 1)[0] ?? '')).toSorted();
}
