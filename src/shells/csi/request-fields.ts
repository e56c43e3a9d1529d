/** Which fields of a request say what it is about: those are logged and locked, and nothing else of it is logged. */

/** Never secrets, parameters or contexts: what is not named here does not reach the log. */
const SHOWN = ['name', 'volumeId', 'snapshotId', 'groupSnapshotId', 'sourceVolumeId', 'nodeId'] as const;
const MAX_SHOWN = 128;

/** Calls that change nothing need no lock; two looks at one volume may be under way at once. */
const READS: ReadonlySet<string> = new Set([
  'ValidateVolumeCapabilities',
  'ListVolumes',
  'ListSnapshots',
  'GetVolumeGroupSnapshot',
  'GetCapacity',
  'NodeGetVolumeStats',
  'NodeGetInfo',
]);

export type Keys = readonly string[];

/** The fields of a request that may be logged. */
export function shownFields(request: unknown): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {};
  for (const field of SHOWN) {
    const value = textOf(request, field);
    if (value !== undefined) shown[field] = value.slice(0, MAX_SHOWN);
  }
  return shown;
}

/** What a call works on, by name where it makes something and by id else. */
export function keysOf(method: string, request: unknown): Keys {
  if (READS.has(method)) return [];
  const key = (kind: string, field: string) => {
    const value = textOf(request, field);
    return value === undefined ? [] : [`${kind} ${value}`];
  };
  // A snapshot leaves its source alone: only two of the same name get into each other's way.
  const made = key(madeBy(method), 'name');
  return [...made, ...key('volume', 'volumeId'), ...key('snapshot', 'snapshotId'), ...key('group', 'groupSnapshotId')];
}

function madeBy(method: string): 'group' | 'snapshot' | 'volume' {
  if (method.endsWith('GroupSnapshot')) return 'group';
  return method.endsWith('Snapshot') ? 'snapshot' : 'volume';
}

function textOf(request: unknown, field: string): string | undefined {
  if (typeof request !== 'object' || request === null || !(field in request)) return undefined;
  const value = (request as Readonly<Record<string, unknown>>)[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
