/** A claim for a volume, as a PersistentVolumeClaim and its StorageClass say it together. */
import { z } from 'zod';
import { Label } from './common.ts';

/** Access modes of a claim, the weakest first. */
export const CLAIM_MODES = ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadOnlyMany', 'ReadWriteMany'] as const;

export const Claim = z.object({
  namespace: Label,
  name: z.string(),
  /** What the API server gave it, where it is from one. */
  uid: z.string().optional(),
  requiredBytes: z.int().min(0),
  /** The volume may not have more. */
  limitBytes: z.int().min(0).optional(),
  accessModes: z.array(z.enum(CLAIM_MODES)).min(1),
  /** Of the class, as its driver gets them. */
  parameters: z.record(z.string(), z.string()),
  mountOptions: z.array(z.string()),
  /** Empty where nothing is asked for. */
  fsType: z.string(),
});
export type Claim = z.infer<typeof Claim>;
