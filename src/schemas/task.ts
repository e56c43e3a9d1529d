/** Task: one piece of work that a person asked for once, done by the agents of the nodes concerned. */
import { z } from 'zod';
import { isEntryPath } from '../domain/volume/entry-path.ts';
import { Label, NodeNameText } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

/** What agents can be asked to do; src/controllers/agent/tasks/index.ts has the code of each. */
export const TaskAction = z.enum([
  'checkNode',
  'checkEncryption',
  'repairNode',
  'heal',
  'rebalance',
  'listSplitBrain',
  'showSplitBrain',
  'resolveSplitBrain',
  'undoSplitBrain',
  'lookAtFolder',
  'acceptFolder',
]);
export type TaskAction = z.infer<typeof TaskAction>;

export const TaskSpec = z.strictObject({
  action: TaskAction.describe('What is to be done.'),
  volume: Label.optional().describe('Volume that it is about.'),
  volumeUid: z.string().max(64).optional().describe('UID of that volume; a later volume of the same name is another.'),
  node: NodeNameText.optional().describe('Node whose agent does it, for actions on one node.'),
  isFull: z.boolean().optional().describe('heal: compares every entry, not only those known to differ.'),
  path: z
    .string()
    .refine(isEntryPath, 'is no entry of a volume; write /folder/file, or gfid:UUID')
    .optional()
    .describe('Entry of the volume that it is about, from the root of the volume.'),
  keep: NodeNameText.optional().describe('resolveSplitBrain: node whose version stays.'),
  undoes: z.uuid().optional().describe('undoSplitBrain: UID of the Task that chose.'),
  findings: z
    .array(z.string().max(2048))
    .max(256)
    .optional()
    .describe('repairNode: number and subject of what doctor found, as in "HF014 volume gv0 on node kube1".'),
  folder: z
    .string()
    .max(512)
    .optional()
    .describe(
      'acceptFolder: inode and file handle of the folder that a person has looked at, as lookAtFolder told them.',
    ),
  by: z.string().max(64).optional().describe('acceptFolder: who says so, by their own account.'),
  isCancelled: z
    .literal(true)
    .optional()
    .describe('Stops it. The only field that can be set later; what was done until then stays.'),
});
export type TaskSpec = z.infer<typeof TaskSpec>;

export const TaskState = z.enum(['Waiting', 'Running', 'Succeeded', 'Failed']);
export type TaskState = z.infer<typeof TaskState>;

/** 0 to 100, of what is to be done. */
const Progress = z.number().int().min(0).max(100);

export const TaskPart = z.object({
  state: TaskState.describe('How far this node is.'),
  isLead: z
    .boolean()
    .optional()
    .describe('This node led the work as the anchor of the volume; a part without it does not end the work.'),
  message: z.string().optional().describe('What is under way, or why it failed.'),
  progress: Progress.optional().describe('Per cent done on this node.'),
  result: z.record(z.string(), z.unknown()).optional().describe('What was found or done, by the action.'),
});
export type TaskPart = z.infer<typeof TaskPart>;

export const TaskStatus = z.object({
  state: TaskState.optional().describe('Summed up by the controller from the parts.'),
  message: z.string().optional().describe('What is under way, or why it failed.'),
  progress: Progress.optional().describe('Per cent done.'),
  startedAt: z.string().optional().describe('When the first agent began.'),
  finishedAt: z
    .string()
    .optional()
    .describe(
      'When it succeeded or failed; it is removed a day later, a choice in a split-brain and an accepted folder after seven.',
    ),
  parts: z.record(z.string(), TaskPart).optional().describe("By node: written by that node's agent only."),
  observedGeneration: ObservedGeneration,
});
export type TaskStatus = z.infer<typeof TaskStatus>;

export const Task = ownKind('Task', { spec: TaskSpec, status: TaskStatus }).describe(
  'One piece of work that a person asked for once.',
);
export type Task = z.infer<typeof Task>;
