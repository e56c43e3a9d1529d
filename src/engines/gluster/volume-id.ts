/** The mark that glusterd gives a brick directory when it makes the volume: whose brick it is. */
import type { Host } from '../../ports/host.ts';

const LOOK_MS = 10_000;
const NAME = 'trusted.glusterfs.volume-id';

/** The identity of the volume, in lower case; undefined where the directory has no such mark. */
export async function readVolumeId(host: Host, brickPath: string, signal: AbortSignal): Promise<string | undefined> {
  // getfattr(1) leaves with 1 when there is no such attribute.
  const found = await host.run({
    file: 'getfattr',
    args: ['--absolute-names', `--name=${NAME}`, '--encoding=hex', '--', brickPath],
    okCodes: [0, 1],
    timeoutMs: LOOK_MS,
    signal,
  });
  const hex = new RegExp(`^${NAME.replaceAll('.', '\\.')}=0x(?<hex>[0-9a-f]{32})$`, 'm').exec(found.stdout)?.groups?.[
    'hex'
  ];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
