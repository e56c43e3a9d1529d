/** Who this agent is: its node's name, how it registers, and the boot that it lives in. */
import { isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { StorageNodeSpec } from '../../schemas/storage-node.ts';

export interface NodeIdentity {
  readonly name: string;
  /** Used only when the node is not in the API yet; afterwards the StorageNode's spec is the truth. */
  readonly initialSpec: StorageNodeSpec;
  readonly agentVersion: string;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Boot ID of the host (proc(5)): changes with each restart, so nothing seen before it can be taken for true. */
export async function readBootId(host: Host): Promise<string> {
  return (await host.files.readText(BOOT_ID)).trim();
}

/**
 * Creates this node's StorageNode unless the plan, or an earlier start, already has.
 *
 * @returns the boot that its status tells of; undefined where it tells nothing yet
 */
export async function registerNode(
  client: ResourceClient,
  identity: NodeIdentity,
  signal: AbortSignal,
): Promise<string | undefined> {
  const known = await client.get('StorageNode', identity.name, { signal });
  if (known !== undefined) return known.status?.bootId;
  try {
    await client.create(
      'StorageNode',
      {
        apiVersion: 'holdfast.dev/v1alpha1',
        kind: 'StorageNode',
        metadata: { name: identity.name },
        spec: identity.initialSpec,
      },
      { signal },
    );
  } catch (error) {
    // The plan was applied in this very moment: its spec is the one that counts.
    if (!isAppError(error, 'exists')) throw error;
  }
  return undefined;
}
