/** A whole GlusterFS pool, read from one of its machines with commands that change nothing. */
import type { SeenPeer, SeenPool, SeenPoolVolume } from '../../domain/adopt/seen-pool.ts';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { Host } from '../../ports/host.ts';
import type { PoolReader } from '../../ports/pool-reader.ts';
import { type CliDeps, createGlusterCli, type GlusterCli } from './cli.ts';
import { gluster } from './command.ts';
import { parsePeers, parseQuotaList, type VolumeInfo } from './parse.ts';
import { type BrickDetail, type PoolVolume, parseBrickDetails, parsePoolVolumes } from './parse-pool.ts';

const COMMAND_MS = 10_000;
/** Names that are looked up: whatever else gluster reports is no name of a machine. */
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$/;

/** Creates the reader for the pool that the host is a member of. */
export function createGlusterPoolReader(deps: CliDeps): PoolReader {
  const cli = createGlusterCli(deps);
  return { read: (signal) => readPool(deps.host, cli, signal) };
}

async function readPool(host: Host, cli: GlusterCli, signal: AbortSignal): Promise<SeenPool> {
  const about = `cannot read the GlusterFS pool of ${host.name}`;
  const ask = { about, resource: `node ${host.name}`, signal };
  const found = parsePoolVolumes(await cli.demand(gluster('volume', 'info'), ask));
  const volumes: SeenPoolVolume[] = [];
  for (const volume of found) volumes.push(await readVolume(cli, volume, { ...ask, about }));
  const own = parsePeers(await cli.demand(gluster('pool', 'list'), ask));
  const self = (await host.run({ file: 'hostname', args: [], timeoutMs: COMMAND_MS, signal })).stdout.trim();
  const peers: SeenPeer[] = [];
  for (const peer of own) {
    // Its own machine is "localhost" to gluster; volumes have it by a name that others know.
    const inVolumes = found.flatMap(({ info }) => info.bricks.filter((brick) => brick.hostUuid === peer.uuid));
    const named = [...inVolumes.map((brick) => brick.node), ...(peer.isSelf ? [self] : peer.names)];
    const names = [...new Set(named)].filter((name) => HOST_NAME.test(name));
    if (!names.some(isName)) names.push(...(await reverse(host, names, signal)));
    const address = await resolve(host, names, signal);
    const isConnected = peer.isSelf || peer.isConnected;
    peers.push({ id: peer.uuid, names, isConnected, ...(address === undefined ? {} : { address }) });
  }
  return { peers, volumes, mounts: await readMounts(host, self) };
}

interface Asked {
  readonly about: string;
  readonly resource: string;
  readonly signal: AbortSignal;
}

async function readVolume(cli: GlusterCli, { info, ...more }: PoolVolume, ask: Asked): Promise<SeenPoolVolume> {
  const details =
    info.state === 'started'
      ? parseBrickDetails(
          await cli.demand(gluster('volume', 'status', parseEngineVolumeName(info.name), 'detail'), ask),
          info.name,
        )
      : [];
  const limitBytes = await readLimit(cli, info, ask);
  return {
    ...{ name: info.name, id: info.id, state: info.state, type: info.type, options: info.options },
    ...{ replicaCount: info.replicaCount, arbiterCount: info.arbiterCount, disperseCount: info.disperseCount },
    ...more,
    bricks: info.bricks.map((brick) => {
      const detail = details.find((each: BrickDetail) => each.node === brick.node && each.path === brick.path);
      return {
        ...{ host: brick.node, hostId: brick.hostUuid, path: brick.path, isArbiter: brick.isArbiter },
        ...(detail?.capacityBytes === undefined ? {} : { capacityBytes: detail.capacityBytes }),
        ...(detail?.device === undefined ? {} : { device: detail.device }),
      };
    }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

async function readLimit(cli: GlusterCli, info: VolumeInfo, ask: Asked): Promise<number | undefined> {
  if (info.options['features.quota'] !== 'on') return undefined;
  const reply = await cli.ask(gluster('volume', 'quota', parseEngineVolumeName(info.name), 'list', '/'), ask);
  // With limits only on folders of the volume the answer is an error.
  return reply.isOk ? parseQuotaList(reply)['/'] : undefined;
}

/** The address that the machine resolves a name to; undefined when it resolves none of them. */
async function resolve(host: Host, names: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  for (const name of names) {
    // getent(1) leaves with 2 when there is no such name.
    const command = { file: 'getent', args: ['ahosts', '--', name], okCodes: [0, 2], timeoutMs: COMMAND_MS, signal };
    const { stdout } = await host.run(command);
    const addresses = stdout.split('\n').map((line) => line.split(/\s+/)[0] ?? '');
    // What a machine calls itself is often only itself: 127.0.1.1 in Debian's /etc/hosts.
    const usable = addresses.find((address) => address !== '' && !/^(?:127\.|::1$|fe80:)/.test(address));
    if (usable !== undefined) return usable;
  }
  return undefined;
}

/** No address; nor a number, which programs take for one. */
function isName(text: string): boolean {
  return !/^[\d.]+$/.test(text) && !text.includes(':');
}

/** What the machine calls others that the pool knows by address only. */
async function reverse(host: Host, addresses: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for (const address of addresses) {
    // getent(1) leaves with 2 when nothing is called so.
    const command = { file: 'getent', args: ['hosts', '--', address], okCodes: [0, 2], timeoutMs: COMMAND_MS, signal };
    const { stdout } = await host.run(command);
    const [, ...names] = (stdout.split('\n')[0] ?? '').trim().split(/\s+/);
    found.push(...names.filter((name) => HOST_NAME.test(name) && isName(name)));
  }
  return found;
}

async function readMounts(host: Host, self: string): Promise<SeenPool['mounts']> {
  const mounts = (await host.mounts.list()).filter((mount) => mount.fsType === 'fuse.glusterfs');
  return mounts.flatMap(({ source, target }) => {
    const volume = /^[^/]+:\/?(?<volume>[^/]+)$/.exec(source)?.groups?.['volume'];
    return volume === undefined ? [] : [{ host: self, volume, path: target }];
  });
}
