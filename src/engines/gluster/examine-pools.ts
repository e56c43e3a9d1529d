/** What lies in pools, for `holdfast doctor`: folders of copies, and directories that bear a volume's ID. */
import type { Host } from '../../ports/host.ts';
import type { EngineFacts } from '../../schemas/node-facts.ts';
import { plainPath } from '../image/paths.ts';

type Pools = readonly { readonly name: string; readonly path: string }[];

const SEARCH_MS = 30_000;
/** Bricks that people make lie directly in a pool or one or two folders below. */
const MAX_DEPTH = '3';
export const VOLUME_ID = 'trusted.glusterfs.volume-id';

/** Every folder below POOL/.holdfast/copies, whoever it belongs to. */
export async function findCopyFolders(host: Host, pools: Pools): Promise<EngineFacts['copyFolders']> {
  const found = await Promise.all(
    pools.map(async ({ name, path }) => {
      const folder = `${plainPath(path, 'pool path')}/.holdfast/copies`;
      return (await host.files.list(folder)).map((copyUid) => ({ pool: name, path: `${folder}/${copyUid}`, copyUid }));
    }),
  );
  return found.flat();
}

/** Directories in pools, not of Holdfast's own, that have a volume's ID and are no brick of any volume. */
export async function findLeftovers(
  host: Host,
  { pools, bricks }: { readonly pools: Pools; readonly bricks: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<EngineFacts['leftovers']> {
  const leftovers: EngineFacts['leftovers'] = [];
  for (const { path } of pools) {
    for (const directory of await listMarked(host, plainPath(path, 'pool path'), signal)) {
      if (bricks.has(directory)) continue;
      leftovers.push({ path: directory, isEmpty: (await host.files.list(directory)).length === 0 });
    }
  }
  return leftovers;
}

/** Directories below a pool with the attribute; the pool itself can be one, as an adopted brick. */
async function listMarked(host: Host, pool: string, signal: AbortSignal): Promise<readonly string[]> {
  if ((await host.files.stat(pool)) === undefined) return [];
  const skip = ['(', '-path', `${pool}/.holdfast`, '-o', '-name', '.glusterfs', ')', '-prune', '-o'];
  // With a pattern getfattr(1) is silent about directories that have no such attribute.
  const ask = ['getfattr', '--absolute-names', '--no-dereference', '--encoding=hex', '--dump'];
  const found = await host.run({
    file: 'find',
    args: [
      ...['-P', pool, '-xdev', '-maxdepth', MAX_DEPTH, ...skip, '-type', 'd'],
      ...['-exec', ...ask, `--match=^${VOLUME_ID.replaceAll('.', '[.]')}$`, '--', '{}', '+'],
    ],
    timeoutMs: SEARCH_MS,
    signal,
  });
  return found.stdout
    .split('\n')
    .filter((line) => line.startsWith('# file: '))
    .map((line) => unescape(line.slice('# file: '.length)));
}

/** getfattr(1) writes line ends and backslashes of names in octal: \\012. */
function unescape(name: string): string {
  return name.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
