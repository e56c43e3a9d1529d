/** What a `lab run` has begun, written before it is done, so that a later one can undo what a killed one left. */
import { z } from 'zod';
import { Claim } from './claim.ts';
import { Label } from './common.ts';
import { RecordedProcess } from './lab-record.ts';

export const LabRun = z.object({
  version: z.literal(1),
  id: z.uuid(),
  /** Who runs it. */
  owner: RecordedProcess,
  claim: Claim,
  /** The name that CreateVolume is called with. */
  volumeName: z.string(),
  host: Label,
  /** As the driver answered. */
  nodeId: z.string().optional(),
  volumeId: z.string().optional(),
  volumeContext: z.record(z.string(), z.string()).optional(),
  /** The volume goes with the run, or with the last one that uses it. */
  isVolumeDeleted: z.boolean(),
  /** It was asked for that the volume stays. */
  isVolumeKept: z.boolean(),
});
export type LabRun = z.infer<typeof LabRun>;
