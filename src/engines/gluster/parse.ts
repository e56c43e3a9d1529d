/** Answers of `gluster --xml` as types. Pure; the samples in fixtures/ are the proof (parse.test.ts covers every one). */
import { AppError } from '../../domain/errors.ts';
import { type Reply, wholeNumber } from './reply.ts';
import type { XmlElement } from './xml.ts';

export interface VolumeInfo {
  readonly name: string;
  readonly id: string;
  readonly state: 'created' | 'started' | 'stopped';
  /** As gluster prints it: Distribute, Replicate, ... */
  readonly type: string;
  readonly replicaCount: number;
  readonly arbiterCount: number;
  /** Bricks of a dispersed set; 0 for any other volume. */
  readonly disperseCount: number;
  readonly bricks: readonly InfoBrick[];
  readonly options: Readonly<Record<string, string>>;
}

export interface InfoBrick {
  readonly node: string;
  readonly path: string;
  readonly hostUuid: string;
  readonly isArbiter: boolean;
}

/** `volume info`: the volumes, none when the one asked for does not exist. */
export function parseVolumeInfo(reply: Reply): readonly VolumeInfo[] {
  return list(reply.root, ['volInfo', 'volumes'], 'volume').map((volume) => ({
    name: required(volume, 'name'),
    id: required(volume, 'id'),
    state: volumeState(required(volume, 'status')),
    type: volume.child('typeStr')?.text ?? '',
    replicaCount: wholeNumber(volume.child('replicaCount')?.text) ?? 1,
    arbiterCount: wholeNumber(volume.child('arbiterCount')?.text) ?? 0,
    disperseCount: wholeNumber(volume.child('disperseCount')?.text) ?? 0,
    bricks: list(volume, ['bricks'], 'brick').map((brick) => ({
      ...splitBrick(required(brick, 'name')),
      hostUuid: brick.child('hostUuid')?.text ?? '',
      isArbiter: brick.child('isArbiter')?.text === '1',
    })),
    options: Object.fromEntries(
      list(volume, ['options'], 'option').map((option) => [
        required(option, 'name'),
        option.child('value')?.text ?? '',
      ]),
    ),
  }));
}

/** Bricks can be filled from others: the only volumes that GlusterFS has heal info of; of others the command fails (rc 234). */
export function hasSpareBricks({
  replicaCount,
  disperseCount,
}: Pick<VolumeInfo, 'replicaCount' | 'disperseCount'>): boolean {
  return replicaCount > 1 || disperseCount > 1;
}

// glusterd_volume_status in glusterd.h: 0 created, 1 started, 2 stopped.
function volumeState(status: string): VolumeInfo['state'] {
  if (status === '1') return 'started';
  return status === '0' ? 'created' : 'stopped';
}

export interface StatusBrick {
  readonly node: string;
  readonly path: string;
  readonly isOnline: boolean;
  readonly port?: number;
  readonly pid?: number;
}

/** Rows of `volume status` that are services of a volume, not bricks. */
const SERVICES = new Set([
  'Self-heal Daemon',
  'Quota Daemon',
  'NFS Server',
  'Bitrot Daemon',
  'Scrubber Daemon',
  'Snapshot Daemon',
]);

/** `volume status V`: bricks of the nodes whose glusterd answers; a node that is away is simply not in it. */
export function parseVolumeStatus(reply: Reply, volume: string): readonly StatusBrick[] {
  const found = list(reply.root, ['volStatus', 'volumes'], 'volume').find(
    (candidate) => candidate.child('volName')?.text === volume,
  );
  if (found === undefined) return [];
  return found
    .children('node')
    .filter((node) => !SERVICES.has(node.child('hostname')?.text ?? ''))
    .map((node) => {
      const port = wholeNumber(node.child('port')?.text);
      const pid = wholeNumber(node.child('pid')?.text);
      return {
        node: required(node, 'hostname'),
        path: required(node, 'path'),
        isOnline: node.child('status')?.text === '1',
        ...(port === undefined ? {} : { port }),
        ...(pid === undefined || pid < 1 ? {} : { pid }),
      };
    });
}

export interface Peer {
  readonly uuid: string;
  readonly names: readonly string[];
  readonly isConnected: boolean;
  /** 'Peer in Cluster'. A peer that is being probed, or was rejected, is known but no member. */
  readonly isMember: boolean;
  readonly stateText: string;
  readonly isSelf: boolean;
}

/** `pool list` and `peer status`. */
export function parsePeers(reply: Reply): readonly Peer[] {
  return list(reply.root, ['peerStatus'], 'peer').map((peer) => {
    const hostname = required(peer, 'hostname');
    const others = list(peer, ['hostnames'], 'hostname').map((name) => name.text);
    const isSelf = hostname === 'localhost' && peer.child('state') === undefined;
    return {
      uuid: required(peer, 'uuid'),
      names: [...new Set([hostname, ...others])].filter((name) => name !== ''),
      isConnected: peer.child('connected')?.text === '1',
      isMember: isSelf || peer.child('state')?.text === '3',
      stateText: peer.child('stateStr')?.text ?? '',
      isSelf,
    };
  });
}

export interface HealBrick {
  readonly node: string;
  readonly path: string;
  readonly isConnected: boolean;
  /** "Connected", or why not. */
  readonly statusText: string;
  /** Entries that are not the same on all copies and can be healed; undefined when the brick could not be asked. */
  readonly pending?: number;
  /** Entries that need a decision; only `info summary` tells. */
  readonly splitBrain?: number;
}

/** `heal V info` and `heal V info summary`. */
export function parseHealInfo(reply: Reply): readonly HealBrick[] {
  return list(reply.root, ['healInfo', 'bricks'], 'brick').map((brick) => {
    const statusText = brick.child('status')?.text ?? '';
    const count = (name: string) => wholeNumber(brick.child(name)?.text);
    const total = count('totalNumberOfEntries') ?? count('numberOfEntries');
    const splitBrain = count('numberOfEntriesInSplitBrain');
    return {
      ...splitBrick(required(brick, 'name')),
      isConnected: statusText === 'Connected',
      statusText,
      ...(total === undefined ? {} : { pending: Math.max(0, total - (splitBrain ?? 0)) }),
      ...(splitBrain === undefined ? {} : { splitBrain }),
    };
  });
}

/** `volume quota V list`: bytes allowed per folder of the volume. */
export function parseQuotaList(reply: Reply): Readonly<Record<string, number>> {
  const limits: Record<string, number> = {};
  for (const limit of list(reply.root, ['volQuota'], 'limit')) {
    const hard = wholeNumber(limit.child('hard_limit')?.text);
    if (hard !== undefined) limits[required(limit, 'path')] = hard;
  }
  return limits;
}

/** The number in `gluster --version`, which answers in text: "10.3". */
export function parseVersion(text: string): string | undefined {
  return /^glusterfs (\d+(?:\.\d+)*)/m.exec(text)?.[1];
}

/** `heal V`, `heal V full`: text also with --xml. True when the crawl was launched. */
export function isHealLaunched(text: string): boolean {
  return /Launching heal operation .* has been successful/s.test(text);
}

/** "kube1:/pool/x" as node and path. A path may hold colons, a node name may not (IPv6 addresses are not used as names). */
function splitBrick(text: string): { node: string; path: string } {
  const at = text.indexOf(':/');
  if (at < 1) throw malformed(`"${text}" is no brick`);
  return { node: text.slice(0, at), path: text.slice(at + 1) };
}

function list(root: XmlElement, path: readonly string[], name: string): readonly XmlElement[] {
  let at: XmlElement | undefined = root;
  for (const step of path) at = at?.child(step);
  return at?.children(name) ?? [];
}

function required(element: XmlElement, name: string): string {
  const text = element.child(name)?.text;
  if (text === undefined || text === '') throw malformed(`<${name}> is missing`);
  return text;
}

function malformed(why: string): AppError {
  return new AppError('internal', `gluster's answer is not as expected: ${why}`, {
    reason: 'MalformedAnswer',
    hint: 'check that this GlusterFS release is a supported one (10 or 11)',
  });
}
