/** csi-sanity, built once per version from its Go module into a cache outside the project. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runTool } from '../project.ts';

const MODULE = join(ROOT, 'tools/sanity/module');
/** Measured on two cores: about a minute of processor time, and what the download takes. */
const BUILD_MS = 15 * 60_000;

/** The version is part of the name: another one is built beside it. */
function programPath(): string {
  const version = /csi-test\/v5 (?<version>v\S+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.groups?.[
    'version'
  ];
  if (version === undefined) throw new Error(`${MODULE}/go.mod does not say which csi-sanity`);
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast', `csi-sanity-${version}`);
}

/** Why there is no csi-sanity here, or undefined when there is one or it can be built. */
export async function whyNoSanity(): Promise<string | undefined> {
  if (existsSync(programPath())) return undefined;
  const { code } = await runTool({ file: 'go', args: ['version'], timeoutMs: 60_000, output: 'capture' });
  return code === 0 ? undefined : 'csi-sanity is a Go program, and there is no Go on this machine';
}

/**
 * Path of the program, built if it is not there yet.
 *
 * @throws {Error} with what go said
 */
export async function buildSanity(): Promise<string> {
  const program = programPath();
  if (existsSync(program)) return program;
  mkdirSync(join(program, '..'), { recursive: true });
  // A name of its own: two runs may build at once.
  const made = `${program}.${process.pid}`;
  const args = ['build', '-mod=readonly', '-trimpath', '-o', made];
  const what = 'github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity';
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const call = { file: 'go', args: [...args, what], cwd: MODULE, env, timeoutMs: BUILD_MS } as const;
  const built = await runTool({ ...call, output: 'capture' });
  if (built.code !== 0) throw new Error(`go build ended with ${built.code}: ${built.output}`);
  renameSync(made, program);
  return program;
}
