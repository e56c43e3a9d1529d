/** What a port of another node was seen to speak: the result of the action checkEncryption of a Task. */
import { z } from 'zod';

export const SpokenPort = z.object({
  node: z.string(),
  port: z.int(),
  /** "glusterd", "brick of gv0". */
  serves: z.string(),
  /** Version of TLS; left out where no encrypted conversation came about. */
  encrypted: z.string().optional(),
  /** It answered a question that was not encrypted. */
  answersPlain: z.boolean(),
  why: z.string().optional(),
});
export type SpokenPort = z.infer<typeof SpokenPort>;

/** Everything that one node saw. */
export const SpokenPorts = z.object({
  ports: z.array(SpokenPort),
  /** What could not be looked at, and why. */
  blind: z.array(z.string()),
});
