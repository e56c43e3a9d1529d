/** Tells each state that a volume goes through, once. */
import { stateMessage } from '../../domain/volume/describe-volume.ts';
import type { Volume } from '../../schemas/volume.ts';
import type { CliContext } from './context.ts';
import { say } from './output.ts';

/** Creates the listener for a wait: Kismatic's `-o raw`. */
export function sayStates(context: Pick<CliContext, 'stderr'>): (volume: Volume) => void {
  let last = '';
  return (volume) => {
    const state = `${volume.status?.phase ?? 'Pending'}: ${stateMessage(volume)}`;
    if (state !== last) say(context, state);
    last = state;
  };
}
