/** Writes Kubernetes Events in the background: the same event counts up one object, ever more rarely, and a flood is cut off. */

import { isAppError } from '../../domain/errors.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import type { Clock, Millis } from '../../ports/clock.ts';
import type { EventSubject, Events } from '../../ports/events.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { withDeadline } from './cancellation.ts';

export interface EventRecorderDeps {
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface EventRecorderOptions {
  /** Who says it: "holdfast-controller", "holdfast-node". */
  readonly component: string;
  /** The machine it is said on. */
  readonly host?: string;
}

export interface EventRecorder extends Events {
  /** Writes what was recorded until the signal aborts. Without it nothing is written. */
  run(signal: AbortSignal): Promise<void>;
  /** Writes all that is recorded now, also what would wait; for the end of a program, and for tests. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** Events remembered for counting up; beyond it the one not seen for longest starts anew. */
const MAX_SERIES = 1_000;
/** Messages of one reason about one object that get events of their own; more are folded into one. */
const MAX_MESSAGES = 10;
/** A series not seen for so long starts anew, as in client-go. */
const SERIES_LIFE_MS = 10 * 60_000;
const FLUSH_EVERY_MS = 1_000;
/** What is counted up is written after this time, and each further count after twice the time before: it tells little that is new. */
const FIRST_REST_MS = 5_000;
const MAX_REST_MS = 5 * 60_000;
/** Longest time for writing one event: events are worth little, and must not hold up others. */
const WRITE_DEADLINE_MS = 5_000;
/** Limit of the API for a message. */
const MAX_MESSAGE_LENGTH = 1_024;

type EventType = 'Normal' | 'Warning';

interface Series {
  readonly name: string;
  readonly subject: EventSubject;
  readonly type: EventType;
  readonly reason: string;
  message: string;
  readonly firstAt: Millis;
  lastAt: Millis;
  lastSeen: Millis;
  count: number;
  isStored: boolean;
  isDirty: boolean;
  /** Until then it is not counted up on the server. */
  restsUntil: Millis;
  restMs: Millis;
}

/** Creates a recorder. Recording never waits and never fails; what cannot be written is logged and dropped. */
export function createEventRecorder(deps: EventRecorderDeps, options: EventRecorderOptions): EventRecorder {
  /** By subject, type, reason and message; in the order they were last seen. */
  const series = new Map<string, Series>();
  const write = createWriter(deps, options);

  const record = (type: EventType, subject: EventSubject, reason: string, text: string): void => {
    const { clock } = deps;
    const topic = `${subject.metadata.uid ?? subject.metadata.name}\n${subject.kind}\n${type}\n${reason}`;
    const message = text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH - 3)}...` : text;
    forgetOld(series, clock.monotonic() - SERIES_LIFE_MS);
    const key = foldedKey(series, topic, message);
    const entry = series.get(key) ?? {
      name: eventName(subject, deps.random),
      ...{ subject, type, reason, message },
      ...{ firstAt: clock.now(), lastAt: 0, lastSeen: 0, count: 0, isStored: false, isDirty: false },
      ...{ restsUntil: 0, restMs: FIRST_REST_MS },
    };
    entry.count += 1;
    entry.message = key === topic ? `(combined from similar events) ${message}`.slice(0, MAX_MESSAGE_LENGTH) : message;
    entry.lastAt = clock.now();
    entry.lastSeen = clock.monotonic();
    entry.isDirty = true;
    series.delete(key);
    series.set(key, entry);
  };

  const writeDue = async (now: Millis, signal?: AbortSignal): Promise<void> => {
    for (const entry of [...series.values()].filter(({ isDirty, restsUntil }) => isDirty && restsUntil <= now)) {
      if (signal?.aborted) return;
      // Cleared first: what is recorded while this one is being written belongs to a later round.
      entry.isDirty = false;
      entry.restsUntil = deps.clock.monotonic() + entry.restMs;
      entry.restMs = Math.min(2 * entry.restMs, MAX_REST_MS);
      await write(entry, signal);
    }
  };

  return {
    normal: (subject, reason, message) => record('Normal', subject, reason, message),
    warning: (subject, reason, message) => record('Warning', subject, reason, message),
    flush: (signal) => writeDue(Number.POSITIVE_INFINITY, signal),
    run: async (signal) => {
      while (!signal.aborted) {
        await deps.clock.sleep(FLUSH_EVERY_MS, signal).catch(() => undefined); // aborted: the loop ends
        await writeDue(deps.clock.monotonic(), signal);
      }
    },
  };
}

/** Drops series not seen since then, and the oldest above the limit; the map is in the order they were last seen. */
function forgetOld(series: Map<string, Series>, since: Millis): void {
  for (const [key, entry] of series) {
    // An event that waits to be written is kept unless there are too many.
    const isOld = entry.lastSeen < since && !entry.isDirty;
    if (!isOld && series.size < MAX_SERIES) return;
    series.delete(key);
  }
}

/** The series an event belongs to: one per message, or the topic itself when it has too many messages already. */
function foldedKey(series: ReadonlyMap<string, Series>, topic: string, message: string): string {
  const own = `${topic}\n${message}`;
  if (series.has(own)) return own;
  const siblings = [...series.keys()].filter((key) => key.startsWith(`${topic}\n`)).length;
  return siblings < MAX_MESSAGES ? own : topic;
}

function eventName(subject: EventSubject, random: Random): string {
  return `${subject.metadata.name}.${random.uuid().replaceAll('-', '').slice(0, 16)}`;
}

/** The API wants events about objects without a namespace in "default", and finds them there for `kubectl describe`. */
function eventNamespace(subject: EventSubject): string {
  return subject.metadata.namespace ?? 'default';
}

/** Writes one series: created the first time, counted up later, created anew when the server has dropped it meanwhile. */
function createWriter(deps: EventRecorderDeps, options: EventRecorderOptions) {
  const { client, clock, log } = deps;
  const create = async (entry: Series, signal: AbortSignal): Promise<void> => {
    const { apiVersion, kind, metadata } = entry.subject;
    const namespace = eventNamespace(entry.subject);
    await client.create(
      'Event',
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: entry.name, namespace },
        involvedObject: { apiVersion, kind, ...pickDefined(metadata) },
        type: entry.type,
        reason: entry.reason,
        firstTimestamp: kubernetesTime(entry.firstAt),
        source: { component: options.component, ...(options.host === undefined ? {} : { host: options.host }) },
        ...counters(entry),
      },
      { namespace, signal },
    );
    entry.isStored = true;
  };
  const update = async (entry: Series, signal: AbortSignal): Promise<void> => {
    const scope = { namespace: eventNamespace(entry.subject), signal };
    try {
      await client.patch('Event', entry.name, counters(entry), scope);
    } catch (error) {
      if (!isAppError(error, 'notFound')) throw error;
      await create(entry, signal);
    }
  };
  return async (entry: Series, signal: AbortSignal | undefined): Promise<void> => {
    const deadline = { ms: WRITE_DEADLINE_MS, what: `event about ${entry.subject.kind}`, signal };
    try {
      await withDeadline(clock, deadline, (inner) => (entry.isStored ? update(entry, inner) : create(entry, inner)));
    } catch (error) {
      // "exists": an earlier try took effect although its answer was lost; from now on it is counted up.
      if (isAppError(error, 'exists')) entry.isStored = true;
      else log.warn('event not written', { reason: entry.reason, object: entry.subject.metadata.name, err: error });
    }
  };
}

function counters(entry: Series) {
  return { message: entry.message, count: entry.count, lastTimestamp: kubernetesTime(entry.lastAt) };
}

function pickDefined({ name, namespace, uid }: EventSubject['metadata']) {
  return { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) };
}
