/** Ages in tables. */
import type { Clock } from '../../ports/clock.ts';
import { humanDuration } from '../kube-api/human-duration.ts';

/** The age of an object as kubectl prints it. */
export function ageOf(object: { readonly metadata: { readonly creationTimestamp: string } }, clock: Clock): string {
  return humanDuration(clock.now() - Date.parse(object.metadata.creationTimestamp));
}
