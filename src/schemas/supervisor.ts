/** Files of the plain supervisor, for machines without systemd. */
import { z } from 'zod';
import { Label } from './common.ts';
import { RecordedProcess } from './lab-record.ts';

/** What is to run on the machine. */
export const ServicesFile = z.strictObject({
  services: z.array(z.strictObject({ name: Label, description: z.string(), argv: z.array(z.string()).min(1) })),
});

/** What runs. */
export const SupervisorRecord = z.object({
  supervisor: RecordedProcess,
  /** By the name of the service. */
  services: z.record(z.string(), RecordedProcess),
});
export type SupervisorRecord = z.infer<typeof SupervisorRecord>;
