/** A pod as the scheduler and the API server send it, as far as it is read; everything else of it is let through unseen. */
import { z } from 'zod';
import { PodVolumes } from '../../schemas/kubernetes.ts';

const Texts = z.record(z.string(), z.string()).nullish();

export const SentPod = z.looseObject({
  metadata: z.looseObject({
    name: z.string().optional(),
    namespace: z.string().optional(),
    labels: Texts,
    annotations: Texts,
  }),
  spec: z.looseObject({
    schedulerName: z.string().optional(),
    volumes: PodVolumes,
  }),
});

/** Where a body is not what it should be, in one line. */
export function faultsOf(error: z.ZodError): string {
  const [first, ...others] = error.issues;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `${first?.path.join('.') || 'the body'}: ${first?.message ?? 'is wrong'}${more}`;
}
