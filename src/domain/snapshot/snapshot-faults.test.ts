import { describe, expect, it } from 'vitest';
import type { Condition } from '../../schemas/common.ts';
import type { PoolStatus, StorageNode } from '../../schemas/storage-node.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { VolumeCopy } from '../../schemas/volume-copy.ts';
import { lastingFaults, snapshotFaults } from './snapshot-faults.ts';

const GIB = 1024 ** 3;
const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  ...{ type, status, reason, message: `${reason}, in words`, lastTransitionTime: '2026-01-01T00:00:00Z' },
});
const API = { apiVersion: 'holdfast.dev/v1alpha1' } as const;

interface Part {
  readonly volume?: Partial<Volume['spec']>;
  readonly ready?: Condition;
  readonly redundant?: Condition;
  readonly isOffline?: true;
  readonly pool?: Partial<PoolStatus>;
  readonly copy?: Partial<NonNullable<VolumeCopy['status']>>;
  readonly isLeaving?: true;
  readonly status?: Volume['status'];
  readonly others?: readonly Volume[];
}

/** A volume of one copy that a snapshot can be taken of, and what is changed about it. */
function faults(part: Part): readonly string[] {
  return found(part).map(({ message }) => message);
}

/** Whether all that is in the way ends by itself. */
function waits(part: Part): boolean {
  const all = found(part);
  return all.length > 0 && lastingFaults(all).length === 0;
}

function found({
  volume = {},
  ready,
  redundant,
  isOffline,
  pool = {},
  copy = {},
  isLeaving,
  status = {},
  others = [],
}: Part) {
  const placed = { copy: 'c', node: 'n1', pool: 'default', role: 'data', ...(isLeaving && { isLeaving }) } as const;
  const brick = { copy: 'c', node: 'n1', isOnline: isOffline !== true, isReadable: true };
  const of: Volume = {
    ...{ ...API, kind: 'Volume', metadata: { name: 'gv0', uid: 'u' } },
    spec: { size: '1Gi', engine: 'gluster', layout: 'single', pool: 'default', brick: 'image', ...volume },
    status: {
      ...status,
      placement: [placed],
      engine: { observedBy: 'n1', epoch: 1, state: 'Started', bricks: [brick] },
      conditions: [
        ready ?? condition('Ready', 'True', 'Served'),
        redundant ?? condition('Redundant', 'True', 'AllCopiesCurrent'),
      ],
    },
  };
  const recorded: VolumeCopy = {
    ...{ ...API, kind: 'VolumeCopy', metadata: { name: 'c', uid: 'cu' } },
    spec: {
      ...{ volume: 'gv0', volumeUid: 'u', node: 'n1', pool: 'default', role: 'data', index: 0 },
      ...{ engine: 'gluster', brick: 'image', sizeBytes: GIB },
    },
    status: { state: 'Ready', ...copy },
  };
  const seen = {
    name: 'default',
    path: '/pool',
    isReady: true,
    capacityBytes: 9 * GIB,
    freeBytes: 5 * GIB,
    copyBytes: 2 * GIB,
  };
  const node: StorageNode = {
    ...{ ...API, kind: 'StorageNode', metadata: { name: 'n1' } },
    spec: { addresses: { ip: '10.0.0.1' }, pools: [{ name: 'default', path: '/pool' }] },
    status: {
      engines: [{ name: 'gluster', isInstalled: true, isRunning: true }],
      pools: [{ ...seen, fsType: 'xfs', hasReflink: true, ...pool }],
      conditions: [condition('Ready', 'True', 'Heard')],
    },
  };
  return snapshotFaults(of, { nodes: [node], volumes: [of, ...others], copies: [recorded], snapshots: [] });
}

describe('snapshotFaults', () => {
  it('finds none for a volume whose copies are all current and can be reflinked', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ redundant: condition('Redundant', 'False', 'SingleCopy') })).toEqual([]);
  });

  it('says what is in the way', () => {
    expect(faults({ volume: { brick: 'directory' } })).toEqual([expect.stringMatching(/plain folders/)]);
    expect(faults({ redundant: condition('Redundant', 'False', 'Healing') })).toEqual([
      'it is not redundant now: Healing, in words',
    ]);
    expect(faults({ pool: { hasReflink: false, fsType: 'ext4' } })).toEqual([
      expect.stringMatching(/^pool default on n1 has no reflink \(ext4\)/),
    ]);
    expect(faults({ pool: { isReady: false } })).toEqual(['pool default on n1 is not ready']);
    expect(faults({ copy: { state: 'Suspect' } })).toEqual(['the copy on n1 is Suspect']);
    expect(faults({ copy: { sizeBytes: 1 } })).toEqual(['the copy on n1 is growing now']);
    expect(faults({ redundant: condition('Redundant', 'False', 'Healing'), pool: { isReady: false } })).toHaveLength(2);
    expect(faults({ ready: condition('Ready', 'False', 'NoQuorum'), pool: { isReady: false } })).toEqual([
      'it is not ready: NoQuorum, in words',
    ]);
    expect(faults({ isOffline: true })).toEqual(['the copy on n1 does not serve']);
    expect(faults({ isLeaving: true })).toEqual(['the copy on n1 is being replaced']);
    expect(faults({ pool: { freeBytes: GIB } })).toEqual([expect.stringMatching(/^pool default on n1 has .* left/)]);
  });

  it('counts the room that is promised to other volumes, though it is not recorded as copies yet', () => {
    const place = { copy: 'other', node: 'n1', pool: 'default', role: 'data' } as const;
    const other = (size: string, deletionTimestamp?: string): Volume => ({
      ...{
        ...API,
        kind: 'Volume',
        metadata: { name: 'gv1', uid: 'u1', ...(deletionTimestamp && { deletionTimestamp }) },
      },
      spec: { size, engine: 'gluster', layout: 'single', pool: 'default', brick: 'image' },
      status: { placement: [place] },
    });
    expect(faults({ others: [other('1Gi')] })).toEqual([]);
    expect(faults({ others: [other('5Gi')] })).toEqual([expect.stringMatching(/^pool default on n1 has .* left/)]);
    expect(faults({ others: [other('5Gi', '2026-01-01T00:00:00Z')] })).toEqual([]);
  });

  it('waits for a copy that has not been told yet what the volume was granted', () => {
    expect(faults({ status: { grantedSize: '1Gi' } })).toEqual([]);
    expect(faults({ status: { grantedSize: '2Gi' } })).toEqual(['the copy on n1 is growing now']);
    expect(waits({ status: { grantedSize: '2Gi' } })).toBe(true);
  });

  it('tells what ends by itself from what stays', () => {
    const redundant = (reason: string) => ({ redundant: condition('Redundant', 'False', reason) });
    for (const reason of ['Healing', 'HealsUnknown', 'CheckingCopies', 'MountsReconnecting']) {
      expect([reason, waits(redundant(reason))]).toEqual([reason, true]);
    }
    for (const reason of ['CopiesDown', 'SplitBrain', 'NoQuorum']) {
      expect([reason, waits(redundant(reason))]).toEqual([reason, false]);
    }
    expect(waits({ ready: condition('Ready', 'Unknown', 'CheckingCopies') })).toBe(true);
    expect(waits({ ready: condition('Ready', 'False', 'NoQuorum') })).toBe(false);
    expect(waits({ isOffline: true })).toBe(true);
    expect(waits({ copy: { sizeBytes: 1 } })).toBe(true);
    expect(waits({ copy: { state: 'Suspect' } })).toBe(true);
    expect(waits({ copy: { state: 'Preparing' } })).toBe(false);
    expect(waits({ isLeaving: true })).toBe(false);
    // Waiting for the heal would be in vain.
    expect(waits({ ...redundant('Healing'), pool: { hasReflink: false } })).toBe(false);
  });
});
