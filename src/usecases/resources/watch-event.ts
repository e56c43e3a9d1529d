/** One event of a watch: shared by all watchers, so that parsing and rendering happen once for all of them. */
import type { StoredChange } from '../../ports/object-store.ts';
import type { KubeObject } from './kube-object.ts';
import type { Selector } from './selectors.ts';

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** An event as a watcher gets it. */
export interface WatchEvent {
  readonly type: WatchEventType;
  /** The object as JSON text. */
  readonly text: string;
  /** Parses the text anew: each caller may keep and change what it gets. */
  read(): KubeObject;
}

/** A change whose two states are parsed at most once, for selectors only. */
export interface SharedChange {
  readonly change: StoredChange;
  readonly event: WatchEvent;
  readonly after: () => KubeObject;
  readonly before: () => KubeObject | undefined;
}

const EVENT_TYPES = { created: 'ADDED', updated: 'MODIFIED', deleted: 'DELETED' } as const;

/** An event from the JSON text of an object. */
export function watchEvent(type: WatchEventType, text: string): WatchEvent {
  return { type, text, read: () => JSON.parse(text) as KubeObject };
}

/** Wraps a change for sharing between watchers. */
export function shareChange(change: StoredChange): SharedChange {
  let after: KubeObject | undefined;
  let before: KubeObject | undefined;
  return {
    change,
    event: watchEvent(EVENT_TYPES[change.type], change.text),
    after: () => (after ??= JSON.parse(change.text) as KubeObject),
    before: () => {
      if (change.previousText === undefined) return undefined;
      return (before ??= JSON.parse(change.previousText) as KubeObject);
    },
  };
}

/**
 * What a change means for a watcher with a selector: an object that begins to match is ADDED for it, and one that no
 * longer matches is DELETED (with its state before, under the revision of the change), as Kubernetes does it.
 */
export function selectEvent(shared: SharedChange, selector: Selector): WatchEvent | undefined {
  if (selector.isEmpty) return shared.event;
  const { change } = shared;
  const before = shared.before();
  const matchedBefore = before !== undefined && selector.matches(before);
  if (change.type === 'deleted') return matchedBefore ? shared.event : undefined;
  const matchesNow = selector.matches(shared.after());
  if (matchesNow) return matchedBefore ? shared.event : watchEvent('ADDED', change.text);
  if (!matchedBefore) return undefined;
  const metadata = { ...before.metadata, resourceVersion: String(change.revision) };
  return watchEvent('DELETED', JSON.stringify({ ...before, metadata }));
}
