/** What is asked of a pool that others made: `volume info` whole, and `volume status V detail`. Pure. */
import type { SeenPoolVolume } from '../../domain/adopt/seen-pool.ts';
import { parseVolumeInfo, parseVolumeStatus, type VolumeInfo } from './parse.ts';
import { type Reply, wholeNumber } from './reply.ts';

export type PoolVolume = Pick<
  SeenPoolVolume,
  'hasThinArbiter' | 'stripeCount' | 'redundancyCount' | 'isTcp' | 'snapshotCount'
> & { readonly info: VolumeInfo };

/** `volume info`: every volume, with what only matters for one of others' making. */
export function parsePoolVolumes(reply: Reply): readonly PoolVolume[] {
  const elements = reply.root.child('volInfo')?.child('volumes')?.children('volume') ?? [];
  return parseVolumeInfo(reply).map((info) => {
    const element = elements.find((each) => each.child('id')?.text === info.id);
    const count = (name: string) => wholeNumber(element?.child(name)?.text) ?? 0;
    return {
      info,
      redundancyCount: count('redundancyCount'),
      // Releases before 6 tell it, as 1 where nothing is striped.
      stripeCount: Math.max(1, count('stripeCount')),
      hasThinArbiter: count('thinArbiterCount') > 0,
      // glusterd.h: 0 tcp, 1 rdma, 2 both.
      isTcp: count('transport') !== 1,
      snapshotCount: count('snapshotCount'),
    };
  });
}

export interface BrickDetail {
  readonly node: string;
  readonly path: string;
  readonly capacityBytes?: number;
  readonly device?: string;
}

/** `volume status V detail`: the file systems of the bricks whose machines answer. */
export function parseBrickDetails(reply: Reply, volume: string): readonly BrickDetail[] {
  const volumes = reply.root.child('volStatus')?.child('volumes')?.children('volume') ?? [];
  const found = volumes.find((each) => each.child('volName')?.text === volume);
  return parseVolumeStatus(reply, volume).map(({ node, path }) => {
    const element = found
      ?.children('node')
      .find((each) => each.child('hostname')?.text === node && each.child('path')?.text === path);
    const capacityBytes = wholeNumber(element?.child('sizeTotal')?.text);
    const device = element?.child('device')?.text;
    return {
      ...{ node, path },
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      ...(device === undefined || device === '' ? {} : { device }),
    };
  });
}
