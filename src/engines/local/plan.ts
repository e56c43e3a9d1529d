/** From observed to desired, for each subject. Pure. */
import type { Desired, Observed, Subject } from '../../ports/engine.ts';
import { planLocalAttachment } from './plan-attachment.ts';
import { planLocalCopy } from './plan-copy.ts';
import type { LocalStep } from './steps.ts';

/** Plans; nothing for a volume, which is its copy, nor for peers and identities, which a local engine has none of. */
export function planLocal<S extends Subject>(
  desired: Desired<S> & { readonly subject: S },
  observed: Observed<S>,
): readonly LocalStep[] {
  const wanted: Desired<Subject> = desired;
  const seen: Observed<Subject> = observed;
  if (wanted.subject === 'copy' && seen.subject === 'copy') return planLocalCopy(wanted, seen);
  if (wanted.subject === 'attachment' && seen.subject === 'attachment') return planLocalAttachment(wanted, seen);
  return [];
}
