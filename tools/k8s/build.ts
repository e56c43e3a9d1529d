/** Builds the programs of Kubernetes from pinned Go modules, once per version, into a cache outside the project. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../project.ts';
import { type Program, type ProgramName, programFolder, programs } from './programs.ts';

const LIST_MS = 120_000;
/** Measured on two cores that did other things as well: ten minutes for the first, two for each other. */
const BUILD_MS = 60 * 60_000;

export type ProgramPaths = Readonly<Record<ProgramName, string>> & {
  /** Folder of the definitions of the snapshot kinds. */
  readonly snapshotKinds: string;
};

function pathOf({ name, version }: Program): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast/k8s', `${name}-${version}`);
}

/** Why what is not there yet cannot be built; undefined when it can, or everything is there. */
export async function whyNotBuilt(): Promise<string | undefined> {
  const absent = programs().filter((program) => !existsSync(pathOf(program)));
  if (absent.length === 0) return undefined;
  const { code } = await runTool({ file: 'go', args: ['version'], timeoutMs: 60_000, output: 'capture' });
  return code === 0 ? undefined : `there is no Go to build ${absent.map(({ name }) => name).join(', ')} with`;
}

/**
 * Where each program is; those that are not there yet are built, which takes long.
 *
 * @throws {Error} with what go said
 */
export async function buildPrograms(say: (line: string) => void): Promise<ProgramPaths> {
  const paths: Record<string, string> = {};
  for (const program of programs()) {
    const path = pathOf(program);
    if (!existsSync(path)) {
      say(`building ${program.name} ${program.version}`);
      say(`built in ${Math.round(await build(program, path))} s`);
    }
    paths[program.name] = path;
  }
  return { ...(paths as Record<ProgramName, string>), snapshotKinds: await snapshotKinds() };
}

/** They lie beside the code of the snapshotter's client, which Go has fetched for the sidecars. */
async function snapshotKinds(): Promise<string> {
  const args = [
    'list',
    '-mod=readonly',
    '-m',
    '-f',
    '{{.Dir}}',
    'github.com/kubernetes-csi/external-snapshotter/client/v8',
  ];
  const { code, output } = await runTool({
    ...{ file: 'go', args, cwd: programFolder('sidecars'), timeoutMs: LIST_MS, output: 'capture' },
  });
  if (code !== 0) throw new Error(`go list -m of the snapshotter's client ended with ${code}: ${output}`);
  return join(output.trim(), 'config/crd');
}

/** @returns seconds */
async function build({ folder, package: what, ldflags }: Program, path: string): Promise<number> {
  mkdirSync(join(path, '..'), { recursive: true });
  // A name of its own: two runs may build at once.
  const made = `${path}.${process.pid}`;
  const args = ['build', '-mod=readonly', '-trimpath', '-ldflags', ldflags, '-o', made, what];
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const built = await runTool({ file: 'go', args, cwd: folder, env, timeoutMs: BUILD_MS, output: 'capture' });
  if (built.code !== 0) throw new Error(`go build of ${what} ended with ${built.code}: ${built.output}`);
  renameSync(made, path);
  return built.seconds;
}
