/** Everything that this node's agent can tell `holdfast doctor` about its machine. Changes nothing. */
import { isAppError } from '../../domain/errors.ts';
import { nodeCalled } from '../../domain/volume/engine-name.ts';
import type { NodeFacts } from '../../schemas/node-facts.ts';
import type { AgentDeps } from './agent-deps.ts';

const PROGRAM_MS = 10_000;

type Deps = Pick<AgentDeps, 'host' | 'doctor' | 'senses' | 'clock' | 'agentVersion' | 'node' | 'informers'>;

/** Gathers; what is missing on the machine is a fact too and throws nothing. */
export async function gatherFacts(deps: Deps, signal: AbortSignal): Promise<NodeFacts> {
  const { doctor, senses, clock, informers, node: self } = deps;
  const startedAt = clock.now();
  const pools = (informers.StorageNode.get(self)?.spec.pools ?? []).map(({ name, path }) => ({ name, path }));
  const [engine, kernel, xfsprogs, certificates] = await Promise.all([
    doctor.examine({ pools }, signal),
    readKernel(deps),
    readXfsVersion(deps, signal),
    senses.certificates(),
  ]);
  const unreachable = await findUnreachable(deps, engine.endpoints, signal);
  return {
    agentVersion: deps.agentVersion,
    startedAt,
    finishedAt: clock.now(),
    kernel,
    packages: {
      ...(engine.version === undefined ? {} : { glusterfs: engine.version }),
      ...(xfsprogs === undefined ? {} : { xfsprogs }),
    },
    certificates: [...certificates],
    unreachable,
    engine,
  };
}

async function readKernel({ host }: Deps): Promise<NodeFacts['kernel']> {
  const { files } = host;
  const release = (await readOr(host, '/proc/sys/kernel/osrelease', 'unknown')).trim();
  const known = (await readOr(host, '/proc/filesystems', '')).split('\n').map((line) => line.split('\t').at(-1));
  const isThere = async (...paths: readonly string[]) => {
    const seen = await Promise.all(paths.map((path) => files.stat(path)));
    return seen.some((info) => info !== undefined);
  };
  // A module that is not loaded yet is loaded by the first mount.
  const modules = `/lib/modules/${release}/kernel`;
  return {
    release,
    hasFuse: await isThere('/dev/fuse'),
    hasXfs: known.includes('xfs') || (await isThere(`${modules}/fs/xfs`)),
    hasLoop: await isThere('/dev/loop-control'),
    hasDmCrypt: await isThere(
      '/sys/module/dm_crypt',
      `${modules}/drivers/md/dm-crypt.ko`,
      `${modules}/drivers/md/dm-crypt.ko.xz`,
    ),
  };
}

async function readOr(host: Deps['host'], path: string, otherwise: string): Promise<string> {
  try {
    return await host.files.readText(path);
  } catch (error) {
    if (isAppError(error, 'notFound')) return otherwise;
    throw error;
  }
}

async function readXfsVersion({ host }: Deps, signal: AbortSignal): Promise<string | undefined> {
  try {
    const output = await host.run({ file: 'mkfs.xfs', args: ['-V'], timeoutMs: PROGRAM_MS, signal });
    return /version (\S+)/.exec(output.stdout)?.[1];
  } catch {
    // Not installed: the comparison of versions shows it as "none".
    signal.throwIfAborted();
    return undefined;
  }
}

async function findUnreachable(
  { senses, informers }: Deps,
  endpoints: NodeFacts['engine']['endpoints'],
  signal: AbortSignal,
): Promise<NodeFacts['unreachable']> {
  const tried = await Promise.all(
    endpoints.map(async (endpoint) => {
      const why = await senses.reach({ host: endpoint.node, port: endpoint.port }, signal);
      return why === undefined ? [] : [{ ...endpoint, node: nodeAt(informers, endpoint.node), why }];
    }),
  );
  return tried.flat();
}

/** The engine may know a peer by its address, or by another name where somebody else made the volume. */
function nodeAt(informers: Deps['informers'], name: string): string {
  const adopted = informers.Volume.list().map((volume) => nodeCalled(volume, name));
  const byBrick = adopted.find((node) => node !== name);
  if (byBrick !== undefined) return byBrick;
  const byAddress = informers.StorageNode.list().find(({ spec }) =>
    [spec.addresses.ip, spec.addresses.internalIp].includes(name),
  );
  return byAddress?.metadata.name ?? name;
}
