/** The API server's question about a new pod (admission.k8s.io/v1), answered with the scheduler that it is to have. */
import { z } from 'zod';
import type { PodAdmission } from '../../controllers/locality/pod-admission.ts';
import { AppError } from '../../domain/errors.ts';
import { faultsOf, SentPod } from './pod.ts';

const Review = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({
    uid: z.string().min(1).max(256),
    namespace: z.string().optional(),
    operation: z.string(),
    object: z.unknown(),
  }),
});

/**
 * Every pod is allowed, always; at most its scheduler is set.
 *
 * @throws {AppError} invalid, for what is no review of a pod
 */
export async function answerAdmission(admission: PodAdmission, body: unknown): Promise<object> {
  const read = Review.safeParse(body);
  if (!read.success) throw refuse(faultsOf(read.error));
  const { uid, namespace, operation, object } = read.data.request;
  const { apiVersion, kind } = read.data;
  const allowed = { uid, allowed: true };
  // A pod's scheduler is decided when it is made.
  if (operation !== 'CREATE') return { apiVersion, kind, response: allowed };
  const pod = SentPod.safeParse(object);
  if (!pod.success) throw refuse(faultsOf(pod.error));
  const { metadata, spec } = pod.data;
  // A new pod may not say its namespace itself.
  const scheduler = await admission.schedulerFor({
    metadata: { ...metadata, namespace: namespace ?? metadata.namespace },
    spec,
  });
  if (scheduler === undefined) return { apiVersion, kind, response: allowed };
  const patch = [{ op: 'add', path: '/spec/schedulerName', value: scheduler }];
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64');
  return { apiVersion, kind, response: { ...allowed, patchType: 'JSONPatch', patch: encoded } };
}

function refuse(fault: string): AppError {
  return new AppError('invalid', `the review of a pod: ${fault}`, { reason: 'BadRequest' });
}
