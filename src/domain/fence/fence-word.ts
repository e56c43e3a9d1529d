/** A fence in a word or two, for lists. */
import type { FenceRecord } from '../../schemas/fence-record.ts';

/** "fenced" only where it is proven. */
export function fenceWord({ status }: FenceRecord): string {
  if (status?.phase === 'Held') return 'fenced';
  return status?.phase === 'Releasing' ? 'being unfenced' : 'fence not proven';
}
