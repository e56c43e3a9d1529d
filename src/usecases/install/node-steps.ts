/** What is done on each machine before anything of Holdfast runs there. Each step looks first, so all may be repeated. */
import { isAppError } from '../../domain/errors.ts';
import { withBlock } from '../../domain/install/marked-block.ts';
import type { ResolvedNode, ResolvedPlan } from '../../domain/plan/resolve-plan.ts';
import type { Host } from '../../ports/host.ts';
import { COMMAND_MS, type InstallDeps, PROGRAM_FOLDER, type Release, type Target } from './install-deps.ts';
import { nfsServerStep } from './nfs-server-step.ts';

/** One thing to be so on a machine. */
export interface NodeStep {
  readonly name: string;
  /** What would be done; undefined when it is so already. Changes nothing. */
  readonly look: (target: Target) => Promise<string | undefined>;
  /** Makes it so. Called after `look` had an answer; an interrupted one is repeated. */
  readonly act: (target: Target, signal: AbortSignal) => Promise<void>;
}

const HOSTS = '/etc/hosts';
const ENGINE_CONFIGURATION = '/etc/glusterfs/glusterd.vol';
/** The release that commands use; services name theirs. */
const CURRENT = `${PROGRAM_FOLDER}/current`;
const COMMAND_LINK = '/usr/local/bin/holdfast';
const UPLOAD_MS = 600_000;
/** Begins the names of folders that are being copied into. */
const INCOMING = '.incoming-';

/** The steps, in order. */
export function nodeSteps(deps: InstallDeps, plan: ResolvedPlan, release: Release): readonly NodeStep[] {
  return [
    ...[namesStep(plan.nodes), packagesStep(deps), nfsServerStep(deps, plan), engineStep(deps)],
    programStep(release),
  ];
}

/** The lines of /etc/hosts: every machine knows all others without DNS, which may be what fails. */
function hostsLines(nodes: readonly ResolvedNode[]): readonly string[] {
  return nodes.map(({ name, host, ip }) => `${ip} ${[...new Set([host.toLowerCase(), name])].join(' ')}`);
}

function namesStep(nodes: readonly ResolvedNode[]): NodeStep {
  return textStep('names', HOSTS, (text) => withBlock(text, hostsLines(nodes)));
}

/** A configuration file with one change in it. */
function textStep(name: string, path: string, change: (text: string) => string): NodeStep {
  const read = async (host: Host) => (await readIfThere(host, path)) ?? '';
  return {
    name,
    look: async ({ host }) => {
      const text = await read(host);
      return change(text) === text ? undefined : `change ${path}`;
    },
    act: async ({ host }) => host.files.writeText(path, change(await read(host))),
  };
}

/** @returns undefined when there is no such file */
export async function readIfThere(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.files.readText(path);
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

function packagesStep({ packagesOf, neededPrograms }: InstallDeps): NodeStep {
  const missing = ({ host }: Target) => packagesOf(host).findMissing(neededPrograms);
  return {
    name: 'packages',
    look: async (target) => {
      const names = [...new Set((await missing(target)).map((each) => each.debianPackage))];
      return names.length === 0 ? undefined : `install ${names.join(', ')}`;
    },
    act: async (target, signal) => packagesOf(target.host).install(await missing(target), signal),
  };
}

/** systemd starts Debian's own unit, which reads the file; the plain supervisor gives the options itself. */
function engineStep({ configureEngine }: InstallDeps): NodeStep {
  const step = textStep('glusterd', ENGINE_CONFIGURATION, configureEngine);
  const enable = (host: Host) =>
    host.run({
      file: 'systemctl',
      args: ['is-active', '--quiet', 'glusterd'],
      okCodes: [0, 1, 2, 3, 4],
      timeoutMs: COMMAND_MS,
    });
  return {
    name: step.name,
    look: async (target) => {
      const change = await step.look(target);
      if (change !== undefined || !target.hasSystemd) return change;
      return (await enable(target.host)).code === 0 ? undefined : 'start glusterd';
    },
    act: async (target, signal) => {
      await step.act(target, signal);
      if (!target.hasSystemd) return;
      await target.host.run({ file: 'systemctl', args: ['enable', '--quiet', 'glusterd'], timeoutMs: COMMAND_MS });
      // Volumes go on meanwhile: bricks are processes of their own.
      await target.host.run({ file: 'systemctl', args: ['restart', 'glusterd'], timeoutMs: 4 * COMMAND_MS });
    },
  };
}

/** Folder of a release on a machine. */
export function releaseFolder({ name }: Pick<Release, 'name'>): string {
  return `${PROGRAM_FOLDER}/${name}`;
}

function programStep(release: Release): NodeStep {
  const folder = releaseFolder(release);
  const wrapper = `#!/bin/sh\nexec ${CURRENT}/node ${CURRENT}/main.mjs "$@"\n`;
  return {
    name: 'program',
    look: async ({ host }) => {
      // The folder gets its name when it is whole, so its being there says everything.
      if ((await host.files.stat(folder)) === undefined) return `copy Holdfast ${release.name}`;
      const hasLeftovers = (await host.files.list(PROGRAM_FOLDER)).some((name) => name.startsWith(INCOMING));
      if (hasLeftovers) return 'remove what an interrupted copy has left';
      const link = await host.run({ file: 'readlink', args: ['--', CURRENT], okCodes: [0, 1], timeoutMs: COMMAND_MS });
      if (link.stdout.trim() !== folder) return `use Holdfast ${release.name}`;
      return (await readIfThere(host, COMMAND_LINK)) === wrapper ? undefined : `write ${COMMAND_LINK}`;
    },
    act: async ({ host }, signal) => {
      const run = async (file: string, ...args: readonly string[]) =>
        (await host.run({ file, args, timeoutMs: COMMAND_MS, signal })).stdout.trim();
      await host.files.makeDirectory(PROGRAM_FOLDER, { mode: 0o755 });
      const leftovers = ['-maxdepth', '1', '-name', `${INCOMING}*`];
      await run('find', PROGRAM_FOLDER, ...leftovers, '-exec', 'rm', '-rf', '--', '{}', '+');
      if ((await host.files.stat(folder)) === undefined) {
        const incoming = await run('mktemp', '-d', '--', `${PROGRAM_FOLDER}/${INCOMING}XXXXXXXX`);
        await run('chown', '--', host.user, incoming);
        await run('install', '-d', '-o', host.user, '--', `${incoming}/chunks`);
        await host.upload([release.node, release.entry], incoming, { timeoutMs: UPLOAD_MS, signal });
        await host.upload(release.chunks, `${incoming}/chunks`, { timeoutMs: UPLOAD_MS, signal });
        await run('chown', '-R', '--', 'root:root', incoming);
        await run('chmod', '-R', '--', 'u=rwX,go=rX', incoming);
        await run('sync', '-f', '--', incoming);
        await run('mv', '-T', '--', incoming, folder);
      }
      await run('ln', '-sfnT', '--', folder, CURRENT);
      await host.files.writeText(COMMAND_LINK, wrapper, { mode: 0o755 });
    },
  };
}
