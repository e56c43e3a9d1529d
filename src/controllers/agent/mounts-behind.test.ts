import { describe, expect, it } from 'vitest';
import type { Resource } from '../../ports/resource-client.ts';
import type { PlacedCopy } from '../../schemas/volume.ts';
import { mountsBehind } from './mounts-behind.ts';

type Seen = Resource<'VolumeAttachmentRecord'>['status'];

const placed = (copy: string, part: Partial<PlacedCopy> = {}): PlacedCopy => ({
  ...{ copy, node: copy, pool: 'default', role: 'data' },
  ...part,
});
/** Which of the mounts are behind, by the node's name. */
function behind(placement: readonly PlacedCopy[], mounts: Readonly<Record<string, Seen>>, gone?: readonly string[]) {
  const volume = { status: { placement } } as unknown as Resource<'Volume'>;
  const records = Object.entries(mounts).map(([node, status]) => ({ spec: { volume: 'gv0', node }, status }));
  return mountsBehind(volume, records as unknown as readonly Resource<'VolumeAttachmentRecord'>[], gone);
}
const joining = [placed('a'), placed('b'), placed('c', { isJoining: true })];

describe('mounts that do not work with the joining copy', () => {
  it('are those that reach fewer copies than there will be', () => {
    const mounts: Record<string, Seen> = {
      old: { state: 'Mounted', copies: 2, connectedCopies: 2 },
      partly: { state: 'Mounted', copies: 3, connectedCopies: 2 },
      unknown: { state: 'Failed' },
      new: { state: 'Mounted', copies: 3, connectedCopies: 3 },
      waiting: { state: 'Waiting' },
      none: undefined,
    };
    expect(behind(joining, mounts)).toEqual(['old', 'partly', 'unknown']);
  });

  it('are not those of a node that is gone for good', () => {
    const old: Seen = { state: 'Mounted', copies: 2, connectedCopies: 2 };
    expect(behind(joining, { old, lost: old }, ['lost'])).toEqual(['old']);
  });

  it('are none while no copy joins', () => {
    const old: Seen = { state: 'Mounted', copies: 2, connectedCopies: 2 };
    expect(behind([placed('a'), placed('b'), placed('c', { replaces: 'd' })], { old })).toEqual([]);
  });
});
