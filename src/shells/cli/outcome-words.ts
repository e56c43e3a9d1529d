/** How a volume stands, in the words of tables. */
import type { Outcome } from '../../domain/simulate/judge-volume.ts';

const WORDS: Readonly<Record<Outcome, string>> = {
  redundant: 'redundant',
  served: 'served, not redundant',
  unavailable: 'unavailable',
  notReady: 'not ready',
};

/** The outcome for a person. */
export function describeOutcome(outcome: Outcome): string {
  return WORDS[outcome];
}
