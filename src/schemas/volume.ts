/** Volume: what a claim is bound to. */
import { z } from 'zod';
import { Condition, Label, ObjectMeta, Quantity } from './common.ts';

export const Layout = z.enum(['single', 'replicated', 'arbiter']);
export type Layout = z.infer<typeof Layout>;

export const VolumeSpec = z
  .strictObject({
    size: Quantity,
    engine: z.enum(['gluster']).default('gluster'),
    layout: Layout.default('replicated'),
    /** Copies that hold data: 1 for single, 2 for arbiter, 2 or 3 and more for replicated. */
    replicas: z.int().min(1).max(9).optional(),
    pool: Label.default('default'),
    brick: z.enum(['image', 'directory']).default('image'),
    /** Zones that copies may be placed in; all when left out. */
    zones: z.array(Label).max(64).optional(),
    /** Clients that may mount: addresses, whole-octet wildcards (10.10.*.*) or CIDR. The nodes always may. */
    allowFrom: z.array(z.string().max(64)).max(256).optional(),
    /** Two plain replicas can diverge when the nodes lose each other; refused unless this says it in so many words. */
    allowSplitBrain: z.boolean().optional(),
  })
  .superRefine((spec, context) => {
    const replicas = spec.replicas;
    const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['replicas'], message });
    if (spec.layout === 'single' && replicas !== undefined && replicas !== 1) refuse('must be 1 for layout single');
    if (spec.layout === 'arbiter' && replicas !== undefined && replicas !== 2) {
      refuse('must be 2 for layout arbiter (two copies hold data, a third decides)');
    }
    if (spec.layout === 'replicated' && replicas === 1)
      refuse('must be at least 2 for layout replicated; use layout single');
    if (spec.layout === 'replicated' && replicas === 2 && spec.allowSplitBrain !== true) {
      refuse(
        '2 plain replicas can diverge (split brain); use layout arbiter, 3 replicas, or set allowSplitBrain: true',
      );
    }
  });
export type VolumeSpec = z.infer<typeof VolumeSpec>;

export const PlacedCopy = z.object({
  /** Name of the VolumeCopy. */
  copy: z.string(),
  node: z.string(),
  pool: z.string(),
  role: z.enum(['data', 'arbiter']),
});
export type PlacedCopy = z.infer<typeof PlacedCopy>;

export const BrickStatus = z.object({
  copy: z.string(),
  node: z.string(),
  isOnline: z.boolean(),
  isReadable: z.boolean(),
  pendingHeals: z.number().int().optional(),
  splitBrainEntries: z.number().int().optional(),
});

export type BrickStatus = z.infer<typeof BrickStatus>;

/** Written by the agent of the anchor node. */
export const VolumeEngineStatus = z.object({
  observedBy: z.string(),
  epoch: z.number().int(),
  /** Removed: an agent that knew of the deletion has seen that the engine holds the volume no more. */
  state: z.enum(['Absent', 'Created', 'Started', 'Removed']),
  engineId: z.string().optional(),
  bricks: z.array(BrickStatus).default([]),
  message: z.string().optional(),
});
export type VolumeEngineStatus = z.infer<typeof VolumeEngineStatus>;

export const VolumeStatus = z.object({
  phase: z.enum(['Pending', 'Creating', 'Ready', 'Degraded', 'Unavailable', 'Deleting']).optional(),
  placement: z.array(PlacedCopy).optional(),
  /** Member node whose agent runs the volume-wide engine steps. */
  anchor: z.string().optional(),
  /** Raised by one whenever the anchor moves; an agent with an older epoch stops. */
  epoch: z.number().int().optional(),
  engine: VolumeEngineStatus.optional(),
  /** Why placement chose or rejected each pool, one line each. */
  reasons: z.array(z.string()).optional(),
  conditions: z.array(Condition).optional(),
  observedGeneration: z.number().int().optional(),
});
export type VolumeStatus = z.infer<typeof VolumeStatus>;

export const Volume = z.object({
  apiVersion: z.literal('holdfast.dev/v1alpha1'),
  kind: z.literal('Volume'),
  metadata: ObjectMeta,
  spec: VolumeSpec,
  status: VolumeStatus.optional(),
});
export type Volume = z.infer<typeof Volume>;
