/**
 * Hands the newest changes to all watchers of a resource. A watcher is only a place in the log: one that falls behind
 * reads from the store's log, and one that falls out of that log gets Expired. So no watcher makes anything grow.
 */
import type { ObjectStore, StoredChange } from '../../ports/object-store.ts';
import { type SharedChange, shareChange } from './watch-event.ts';

/** Changes kept in memory per watched resource, so that many watchers share one parsed copy. */
const RECENT = 512;
/** Characters of text kept in memory per watched resource, both states of each change counted. */
const RECENT_CHARACTERS = 8 * 1024 * 1024;
/** Changes read from the log at once. */
const READ_LIMIT = 256;

export interface WatchBatch {
  readonly changes: readonly SharedChange[];
  /** Everything up to this revision has been seen after this batch. */
  readonly revision: number;
}

export interface WatchHub {
  /** Changes after `revision`; empty when there are none yet. @throws {AppError} conflict with reason Expired */
  read(resource: string, revision: number): WatchBatch;
  /** Calls `wake` after each change of the resource, until the returned function is called. */
  join(resource: string, wake: () => void): () => void;
}

interface Channel {
  readonly wakers: Set<() => void>;
  /** Every change after this revision is in `recent`. */
  floor: number;
  readonly recent: SharedChange[];
  characters: number;
}

/** Makes the hub and subscribes it to the store, for as long as the store lives. */
export function createWatchHub(store: ObjectStore): WatchHub {
  const channels = new Map<string, Channel>();
  store.subscribe((changes) => publish(channels, changes));

  const channelOf = (resource: string): Channel => {
    const known = channels.get(resource);
    if (known !== undefined) return known;
    const channel: Channel = { wakers: new Set(), floor: store.revision(), recent: [], characters: 0 };
    channels.set(resource, channel);
    return channel;
  };
  return {
    read(resource, revision) {
      const channel = channels.get(resource);
      const newest = store.revision();
      if (channel !== undefined && revision >= channel.floor && revision <= newest) {
        return { changes: channel.recent.slice(firstAfter(channel.recent, revision)), revision: newest };
      }
      const changes = store.changesSince(resource, revision, READ_LIMIT).map(shareChange);
      const isAll = changes.length < READ_LIMIT;
      return { changes, revision: isAll ? newest : (changes.at(-1)?.change.revision ?? newest) };
    },
    join(resource, wake) {
      const channel = channelOf(resource);
      channel.wakers.add(wake);
      return () => {
        channel.wakers.delete(wake);
        if (channel.wakers.size === 0 && channels.get(resource) === channel) channels.delete(resource);
      };
    },
  };
}

function publish(channels: ReadonlyMap<string, Channel>, changes: readonly StoredChange[]): void {
  const touched = new Set<Channel>();
  for (const change of changes) {
    const channel = channels.get(change.resource);
    if (channel === undefined) continue;
    channel.recent.push(shareChange(change));
    channel.characters += sizeOf(change);
    touched.add(channel);
  }
  for (const channel of touched) {
    trim(channel);
    for (const wake of channel.wakers) wake();
  }
}

/** Drops the oldest changes beyond the limits; half of them at once, so that the array is not moved at each change. */
function trim(channel: Channel): void {
  if (channel.recent.length <= 2 * RECENT && channel.characters <= RECENT_CHARACTERS) return;
  let dropped = 0;
  for (const { change } of channel.recent) {
    const left = channel.recent.length - dropped;
    if (left <= RECENT && channel.characters <= RECENT_CHARACTERS / 2) break;
    channel.characters -= sizeOf(change);
    channel.floor = change.revision;
    dropped += 1;
  }
  channel.recent.splice(0, dropped);
}

function sizeOf(change: StoredChange): number {
  return change.text.length + (change.previousText?.length ?? 0);
}

/** Index of the first change after the revision, by halving. */
function firstAfter(changes: readonly SharedChange[], revision: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((changes[middle]?.change.revision ?? 0) > revision) high = middle;
    else low = middle + 1;
  }
  return low;
}
