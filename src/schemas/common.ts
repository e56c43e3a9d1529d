/** Pieces that every Kubernetes resource shares, as zod schemas. */
import { z } from 'zod';
import { parseQuantity } from '../domain/bytes.ts';
import { isAppError } from '../domain/errors.ts';
import { labelFault, nodeNameFault } from '../domain/names.ts';
import { isPlainPath } from '../domain/paths.ts';

/** metadata of an object; fields that only the API server sets are optional because a client leaves them out. */
export const ObjectMeta = z.looseObject({
  name: z.string().optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.number().int().optional(),
  creationTimestamp: z.string().nullable().optional(),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type ObjectMeta = z.infer<typeof ObjectMeta>;

/** KEP-1623 condition. */
export const Condition = z.object({
  type: z.string().describe('What the condition is about, such as Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('True, False or Unknown.'),
  reason: z.string().describe('One word for programs.'),
  message: z.string().describe('A sentence for people.'),
  lastTransitionTime: z.string().describe('When the status last changed.'),
  observedGeneration: z.number().int().optional().describe('Generation of the spec that was judged.'),
});
export type Condition = z.infer<typeof Condition>;

/** RFC 1123 label: names of volumes, pools, zones. */
export const Label = z.string().superRefine((text, context) => {
  const fault = labelFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** Name of a node: as a label, or several with dots between them. */
export const NodeNameText = z.string().superRefine((text, context) => {
  const fault = nodeNameFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

function checkQuantity(text: string, context: z.RefinementCtx): void {
  try {
    parseQuantity(text);
  } catch (error) {
    if (!isAppError(error)) throw error;
    context.addIssue({ code: 'custom', message: `${error.message}${error.hint ? `; ${error.hint}` : ''}` });
  }
}

/** Kubernetes Quantity of bytes, such as 10Gi; a number is taken as well, as in the kinds of Kubernetes itself. */
export const Quantity = z
  .union([z.string(), z.number().int().nonnegative().transform(String)])
  .superRefine(checkQuantity);

/** Size in kinds of Holdfast's own: a Quantity, always as text, since what a CRD takes is stored as it was written. */
export const Size = z.string().superRefine(checkQuantity);

/** Absolute path without "..", ".", empty segments or control characters, so that no join can leave its folder. */
export const AbsolutePath = z
  .string()
  .max(1024)
  .superRefine((path, context) => {
    if (!path.startsWith('/')) return context.addIssue({ code: 'custom', message: 'must be an absolute path' });
    if (!isPlainPath(path)) {
      context.addIssue({ code: 'custom', message: 'must not hold "..", ".", empty segments or control characters' });
    }
  });

export const IpAddress = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });
