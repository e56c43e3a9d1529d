/** FenceRecord: a node that may write no volume any more, and the proof of it. */
import { z } from 'zod';
import { Condition, IpAddress, NodeNameText } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

export const FenceRecordSpec = z.strictObject({
  node: NodeNameText.describe('Node that is fenced; the record has its name.'),
  nodeUid: z.string().max(64).describe('UID of that StorageNode; a later one of the same name is another.'),
  bootId: z.string().max(64).describe('Boot ID that the node had: with another one it has been restarted since.'),
  addresses: z.array(IpAddress).min(1).max(16).describe('Addresses of the node, which no volume answers any more.'),
  reason: z.string().max(256).optional().describe('Why a person has fenced it.'),
});
export type FenceRecordSpec = z.infer<typeof FenceRecordSpec>;

export const FencedVolume = z.object({
  state: z
    .enum(['Held', 'Waiting', 'NotNeeded', 'CannotBeFenced'])
    .describe(
      'Held: proven that the node cannot write it. Waiting: not proven yet. NotNeeded: the node alone could use it, or nobody yet. CannotBeFenced: who serves it is not under the rule of Holdfast, and the node may have it mounted.',
    ),
  message: z.string().describe('Why it is so.'),
  copies: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      'By the name of the VolumeCopy: since when it was seen to have no connection of the node, and nothing left of what the node had asked before.',
    ),
});
export type FencedVolume = z.infer<typeof FencedVolume>;

export const FenceRecordStatus = z.object({
  phase: z
    .enum(['Fencing', 'Held', 'Releasing'])
    .optional()
    .describe('Fencing: not proven, the node may still write. Held: proven of every volume. Releasing: being undone.'),
  message: z.string().optional().describe('What is not proven yet, or what it waits for.'),
  heldSince: z.string().optional().describe('When the proof was complete; taken away when it is so no more.'),
  volumes: z.record(z.string(), FencedVolume).optional().describe('By the name of the Volume.'),
  conditions: z.array(Condition).optional().describe('Held: whether it is proven that the node writes nothing.'),
  observedGeneration: ObservedGeneration,
});
export type FenceRecordStatus = z.infer<typeof FenceRecordStatus>;

export const FenceRecord = ownKind('FenceRecord', {
  spec: FenceRecordSpec,
  status: FenceRecordStatus,
}).describe('A node that may write no volume any more.');
export type FenceRecord = z.infer<typeof FenceRecord>;
