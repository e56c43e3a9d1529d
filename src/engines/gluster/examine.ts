/** What GlusterFS says of itself on one node, gathered for `holdfast doctor`. Changes nothing. */
import { messageOf } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import type { ExamineRequest } from '../../ports/node-doctor.ts';
import type { EngineFacts } from '../../schemas/node-facts.ts';
import { plainPath } from '../image/paths.ts';
import { observeAttachment } from './attachment.ts';
import type { GlusterCli } from './cli.ts';
import { poolListArgv, volumeStatusArgv } from './command.ts';
import { daemonAdvice } from './daemon.ts';
import { maxOpVersionArgv, volumeInfoAllArgv } from './doctor-command.ts';
import { findCopyFolders, findLeftovers } from './examine-pools.ts';
import { type Peer, parsePeers, parseVersion, parseVolumeInfo, parseVolumeStatus, type VolumeInfo } from './parse.ts';
import { wholeNumber } from './reply.ts';
import { hasEmptyVolumeFile } from './volume-files.ts';

const LOOK_MS = 5_000;
const GLUSTERD_PORT = 24007;
/** Below a brick: xlators/storage/posix/src/posix-helpers.c in GlusterFS writes and reads it every 30 s. */
const HEALTH_FILE = '.glusterfs/health_check';
const GLUSTERD_INFO = '/var/lib/glusterd/glusterd.info';

interface ExamineDeps {
  readonly host: Host;
  readonly cli: GlusterCli;
}

type Part = Partial<EngineFacts>;

/** Examines the node; what cannot be looked at is told in `blind`, with the reason. */
export async function examineGluster(
  deps: ExamineDeps,
  request: ExamineRequest,
  signal: AbortSignal,
): Promise<EngineFacts> {
  const { host } = deps;
  const blind: string[] = [];
  const look = async <T>(what: string, ask: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      blind.push(`${what}: ${messageOf(error)}`);
      return otherwise;
    }
  };
  const [daemon, mounts, copyFolders, version] = await Promise.all([
    examineDaemon(deps, signal, look),
    look('mounts', () => examineMounts(host, signal), []),
    look('folders of copies', () => findCopyFolders(host, request.pools), []),
    look('version of GlusterFS', () => readVersion(host, signal), undefined),
  ]);
  const advice = await look('how glusterd runs', () => daemonAdvice(host, signal), undefined);
  const { volumes, ...facts } = daemon;
  // Without glusterd nobody knows which directories are bricks, so none can be called a leftover.
  const bricks =
    volumes === undefined ? undefined : new Set(volumes.flatMap((volume) => volume.bricks.map((b) => b.path)));
  const leftovers =
    bricks === undefined
      ? []
      : await look('directories below pools', () => findLeftovers(host, { pools: request.pools, bricks }, signal), []);
  const message = facts.message ?? advice;
  return {
    name: 'gluster',
    isAnswering: false,
    peers: [],
    bricks: [],
    emptyVolumeFiles: [],
    endpoints: [],
    ...facts,
    ...(message === undefined ? {} : { message }),
    ...(version === undefined ? {} : { version }),
    noticesLostPeers: advice === undefined,
    mounts: [...mounts],
    copyFolders: [...copyFolders],
    leftovers: [...leftovers],
    blind,
  };
}

type Look = <T>(what: string, ask: () => Promise<T>, otherwise: T) => Promise<T>;

async function examineDaemon(
  deps: ExamineDeps,
  signal: AbortSignal,
  look: Look,
): Promise<Part & { readonly volumes?: readonly VolumeInfo[] }> {
  const { host, cli } = deps;
  const own = await look('identity of glusterd', () => readInfo(host), {});
  let peers: readonly Peer[];
  try {
    peers = parsePeers(await cli.demand(poolListArgv(), { about: 'cannot list the pool', resource: 'pool', signal }));
  } catch (error) {
    signal.throwIfAborted();
    return { ...own, isAnswering: false, message: messageOf(error) };
  }
  const self = peers.find((peer) => peer.isSelf);
  const others = peers.filter((peer) => !peer.isSelf);
  const volumes = await look('volumes', () => listVolumes(cli, signal), undefined);
  const maxOpVersion = await look('op-version', () => readMaxOpVersion(cli, signal), undefined);
  const seen = await look(
    'bricks',
    () => examineBricks(deps, { volumes: volumes ?? [], id: self?.uuid, look }, signal),
    {
      bricks: [],
      endpoints: [],
    },
  );
  const names = (volumes ?? []).map(({ name }) => name);
  const isEmpty = await Promise.all(names.map((name) => hasEmptyVolumeFile(host, name)));
  return {
    ...own,
    isAnswering: true,
    ...(self === undefined ? {} : { id: self.uuid }),
    ...(maxOpVersion === undefined ? {} : { maxOpVersion }),
    peers: others.map(({ uuid, names: known, isConnected, isMember, stateText }) => {
      return { uuid, names: [...known], isConnected, isMember, stateText };
    }),
    bricks: seen.bricks,
    emptyVolumeFiles: names.filter((_, at) => isEmpty[at]),
    endpoints: [
      ...others
        .flatMap((peer) => peer.names.slice(0, 1))
        .map((node) => ({ node, port: GLUSTERD_PORT, serves: 'glusterd' })),
      ...seen.endpoints,
    ],
    ...(volumes === undefined ? {} : { volumes }),
  };
}

async function listVolumes(cli: GlusterCli, signal: AbortSignal): Promise<readonly VolumeInfo[]> {
  const ask = { about: 'cannot list the volumes', resource: 'pool', signal };
  return parseVolumeInfo(await cli.demand(volumeInfoAllArgv(), ask));
}

async function readMaxOpVersion(cli: GlusterCli, signal: AbortSignal): Promise<number | undefined> {
  const ask = { about: 'cannot see the op-version', resource: 'pool', signal };
  const reply = await cli.ask(maxOpVersionArgv(), ask);
  // While a member is away it answers "option cluster.max-op-version does not exist": nobody can know it then.
  if (!reply.isOk) return undefined;
  const answer = reply.root.child('volGetopts');
  const option = answer?.child('Opt') ?? answer;
  return wholeNumber(option?.child('Value')?.text);
}

/** glusterd's own file, readable also while it does not run. It is not there before glusterd needs it the first time. */
async function readInfo(host: Host): Promise<Part> {
  if ((await host.files.stat(GLUSTERD_INFO)) === undefined) return {};
  const text = await host.files.readText(GLUSTERD_INFO);
  const id = /^UUID=(\S+)$/m.exec(text)?.[1];
  const opVersion = wholeNumber(/^operating-version=(\d+)$/m.exec(text)?.[1]);
  return { ...(id === undefined ? {} : { id }), ...(opVersion === undefined ? {} : { opVersion }) };
}

interface SeenVolumes {
  readonly volumes: readonly VolumeInfo[];
  /** This node's glusterd. */
  readonly id: string | undefined;
  readonly look: Look;
}

async function examineBricks(
  { host, cli }: ExamineDeps,
  { volumes, id, look }: SeenVolumes,
  signal: AbortSignal,
): Promise<Pick<EngineFacts, 'bricks' | 'endpoints'>> {
  const bricks: EngineFacts['bricks'] = [];
  const endpoints: EngineFacts['endpoints'] = [];
  for (const { name, state, bricks: all } of volumes) {
    if (state !== 'started') continue;
    const ask = { about: `cannot see the status of volume ${name}`, resource: `volume ${name}`, signal };
    const status = await look(
      `status of volume ${name}`,
      async () => parseVolumeStatus(await cli.demand(volumeStatusArgv(name), ask), name),
      undefined,
    );
    if (status === undefined) continue;
    for (const { node, path, hostUuid } of all) {
      const row = status.find((candidate) => candidate.node === node && candidate.path === path);
      if (hostUuid === id) {
        const diskError = await readDisk(host, path, signal);
        const isOnline = row?.isOnline ?? false;
        bricks.push({ volume: name, path, isOnline, ...(diskError === undefined ? {} : { diskError }) });
      } else if (row?.isOnline === true && row.port !== undefined) {
        endpoints.push({ node, port: row.port, serves: `brick of ${name}` });
      }
    }
  }
  return { bricks, endpoints };
}

/**
 * Why the brick cannot be read; undefined while it can. What the kernel remembers of a dead disk still looks well, so one
 * block is read from the disk itself: of the file that each brick process writes for its own health check. In a program of
 * its own, since a disk that hangs blocks whoever asks.
 */
async function readDisk(host: Host, path: string, signal: AbortSignal): Promise<string | undefined> {
  const look = { timeoutMs: LOOK_MS, signal };
  try {
    await host.run({ ...look, file: 'stat', args: ['--format=%F', '--', path] });
    const block = [`if=${plainPath(path, 'brick path')}/${HEALTH_FILE}`, 'of=/dev/null', 'bs=4096', 'count=1'];
    const read = await host.run({
      ...look,
      file: 'dd',
      args: [...block, 'iflag=direct', 'status=none'],
      okCodes: [0, 1],
    });
    // The brick never ran; or its file system knows no direct reading.
    if (read.code === 0 || /No such file|Invalid argument/.test(read.stderr)) return undefined;
    return read.stderr.trim();
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

async function readVersion(host: Host, signal: AbortSignal): Promise<string | undefined> {
  const output = await host.run({ file: 'gluster', args: ['--version'], timeoutMs: LOOK_MS, signal });
  return parseVersion(output.stdout);
}

async function examineMounts(host: Host, signal: AbortSignal): Promise<EngineFacts['mounts']> {
  const ours = (await host.mounts.list()).filter(({ fsType }) => fsType === 'fuse.glusterfs');
  const last = new Map(ours.map((entry) => [entry.target, entry]));
  return Promise.all(
    [...last.values()].map(async ({ source, target }) => {
      const volume = source.slice(source.indexOf(':') + 1).replace(/^\//, '');
      const seen = await observeAttachment(host, { volume, mountPath: target }, signal);
      const about = { path: target, source, ...(seen.message === undefined ? {} : { message: seen.message }) };
      if (seen.state === 'dead') return { ...about, state: 'dead' as const };
      return { ...about, state: seen.isAnswering === false ? ('silent' as const) : ('answering' as const) };
    }),
  );
}
