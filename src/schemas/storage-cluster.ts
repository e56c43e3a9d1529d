/** StorageCluster: the nodes that belong together and who speaks for the engine's own cluster. One object, named "default". */
import { z } from 'zod';
import { Condition, NodeNameText } from './common.ts';
import { ObservedGeneration, ownKind } from './own-kind.ts';

export const StorageClusterSpec = z.strictObject({
  nodes: z.array(NodeNameText).max(1000).describe('Names of the StorageNodes that belong to the cluster.'),
  tls: z
    .strictObject({ isEnabled: z.boolean().describe('True encrypts all traffic between nodes, and with mounts.') })
    .optional()
    .describe(
      'Encryption of what the engine sends over the network; changing it interrupts every volume for a moment.',
    ),
});
export type StorageClusterSpec = z.infer<typeof StorageClusterSpec>;

/** In order; Unmounting, Stopping and Restarting are the window in which no volume is served. */
export const TlsPhase = z.enum(['Off', 'Preparing', 'Unmounting', 'Stopping', 'Restarting', 'On']);
export type TlsPhase = z.infer<typeof TlsPhase>;

export const TlsStatus = z.object({
  phase: TlsPhase.describe('How far the change is; On and Off are its ends.'),
  isEncrypted: z
    .boolean()
    .describe(
      "What the engine's daemons are to speak; in Restarting already what was asked for, before still what was.",
    ),
  message: z.string().optional().describe('What is waited for.'),
});
export type TlsStatus = z.infer<typeof TlsStatus>;

export const StorageClusterStatus = z.object({
  tls: TlsStatus.optional().describe('Written by the controller; left out where encryption was never asked for.'),
  anchor: z
    .string()
    .optional()
    .describe("Node whose agent joins the others to the engine's pool; moved by the controller when it is lost."),
  peers: z
    .object({
      observedBy: z.string().describe('The anchor whose agent has looked.'),
      connected: z.array(z.string()).describe('Members that its engine is connected to.'),
      disconnected: z.array(z.string()).describe('Members that its engine does not reach.'),
      missing: z.array(z.string()).describe('Nodes of the cluster that are no members yet.'),
      leaving: z
        .array(z.string())
        .optional()
        .describe("Former members that are still the engine's peers; taken out once nothing is left on them."),
      ids: z
        .record(z.string(), z.string())
        .optional()
        .describe('Identity of each node in the engine, by its name: what the engines of the others know it by.'),
      message: z.string().optional().describe('What went wrong with joining or leaving.'),
    })
    .optional()
    .describe("Written by the anchor's agent: the members that the engine says are connected."),
  controllerVersion: z.string().optional().describe('Version of the controller that leads.'),
  conditions: z.array(Condition).optional().describe('Ready: the members are joined.'),
  observedGeneration: ObservedGeneration,
});
export type StorageClusterStatus = z.infer<typeof StorageClusterStatus>;

export const StorageCluster = ownKind('StorageCluster', {
  spec: StorageClusterSpec,
  status: StorageClusterStatus,
}).describe('The nodes that belong together. There is one, named default.');
export type StorageCluster = z.infer<typeof StorageCluster>;
