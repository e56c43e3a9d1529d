/** What the agent keeps about the NFS server that it started, for the agent that comes after it in the same boot. */
import { z } from 'zod';
import { RecordedProcess } from './lab-record.ts';

export const NfsServerRecord = z.object({
  process: RecordedProcess,
  /** The configuration that it was started with, or was told to read last. */
  configuration: z.string(),
});
export type NfsServerRecord = z.infer<typeof NfsServerRecord>;
