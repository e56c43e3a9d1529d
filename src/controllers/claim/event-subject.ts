/** What events about objects of Kubernetes itself are about. */
import type { EventSubject } from '../../ports/events.ts';

/** Objects of lists do not say what they are, so it is said here. */
export function subjectOf(
  kind: 'PersistentVolume' | 'PersistentVolumeClaim' | 'Pod',
  { metadata }: Pick<EventSubject, 'metadata'>,
): EventSubject {
  return { apiVersion: 'v1', kind, metadata };
}
