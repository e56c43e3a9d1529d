/** What all kinds of Holdfast's own have in common. */
import { z } from 'zod';
import { ObjectMeta } from './common.ts';

/** The group of all kinds of Holdfast's own. */
export const GROUP = 'holdfast.dev';
const API_VERSION = `${GROUP}/v1alpha1` as const;

/** For every status. */
export const ObservedGeneration = z
  .number()
  .int()
  .optional()
  .describe('Generation of the spec that this status is about.');

/** Creates the schema of a kind: people and the controller write the spec, the controller and the agents the status. */
export function ownKind<K extends string, Spec extends z.ZodType, Status extends z.ZodType>(
  kind: K,
  parts: { readonly spec: Spec; readonly status: Status },
): z.ZodObject<{
  apiVersion: z.ZodLiteral<typeof API_VERSION>;
  kind: z.ZodLiteral<K>;
  metadata: typeof ObjectMeta;
  spec: Spec;
  status: z.ZodOptional<Status>;
}> {
  return z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind),
    metadata: ObjectMeta,
    spec: parts.spec.describe('What is asked for.'),
    status: parts.status.optional().describe('What is there, as the controller and the agents report it.'),
  });
}
