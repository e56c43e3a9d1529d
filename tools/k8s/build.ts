/** Builds kube-apiserver from its pinned Go module, once per version, into a cache outside the project. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runTool } from '../project.ts';
import { KIT_PROGRAMS, kubernetesVersion, MODULE } from './programs.ts';

/** Measured on two cores that did other things as well: ten minutes, five of processor time. */
const BUILD_MS = 60 * 60_000;

function programPath(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(cache, 'holdfast/k8s', `kube-apiserver-${kubernetesVersion()}`);
}

/** What is missing to run the kit here, one sentence each; what can be built is not missing. */
export async function missingForKit(): Promise<readonly string[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const absent = KIT_PROGRAMS.filter(({ program }) => !folders.some((folder) => existsSync(join(folder, program))));
  const missing = absent.map(
    ({ program, debianPackage }) => `${program} is not installed: apt-get install ${debianPackage}`,
  );
  if (existsSync(programPath())) return missing;
  const { code } = await runTool({ file: 'go', args: ['version'], timeoutMs: 60_000, output: 'capture' });
  return code === 0 ? missing : [...missing, 'kube-apiserver is a Go program, and there is no Go to build it with'];
}

/**
 * Path of kube-apiserver, built if it is not there yet.
 *
 * @throws {Error} with what go said
 */
export async function buildApiServer(): Promise<string> {
  const program = programPath();
  if (existsSync(program)) return program;
  mkdirSync(join(program, '..'), { recursive: true });
  // A name of its own: two runs may build at once.
  const made = `${program}.${process.pid}`;
  // Without its version it calls itself v0.0.0-master, which clients take for very old.
  const ldflags = `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion()}`;
  const args = ['build', '-mod=readonly', '-trimpath', '-ldflags', ldflags, '-o', made];
  const what = 'k8s.io/kubernetes/cmd/kube-apiserver';
  const env = { CGO_ENABLED: '0', GOFLAGS: '' };
  const call = { file: 'go', args: [...args, what], cwd: MODULE, env, timeoutMs: BUILD_MS } as const;
  const built = await runTool({ ...call, output: 'capture' });
  if (built.code !== 0) throw new Error(`go build of ${what} ended with ${built.code}: ${built.output}`);
  renameSync(made, program);
  return program;
}
