/**
 * Access to keys on a Kubernetes cluster: for each a Role that names that one Secret and lets it be read, nothing else, bound to
 * the agents of the nodes with a copy. The Secret owns both, so Kubernetes removes them after it.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { KeyAccess } from '../../ports/key-access.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';

const API_GROUP = 'rbac.authorization.k8s.io';

export interface KeyAccessDeps {
  readonly client: Pick<ResourceClient, 'get' | 'create' | 'patch'>;
  /** What the agent of a node is called in its certificate. */
  readonly userOf: (node: string) => string;
  /**
   * ServiceAccount of agents that are pods, in the namespace of Holdfast. They are one user to RBAC, so each of them may read the key
   * of any volume, where there are such agents.
   */
  readonly account: string;
}

/** Creates it. RBAC lets its user grant what it may do itself, and no more. */
export function createKeyAccess({ client, userOf, account }: KeyAccessDeps): KeyAccess {
  return {
    grant: async (name, nodes, signal) => {
      const secret = await client.get('Secret', name, { signal });
      if (secret === undefined) throw new AppError('notFound', `there is no Secret ${name} to let anybody read`);
      const metadata = { name, ownerReferences: [ownerOf(secret)] };
      const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: [name], verbs: ['get'] }];
      await unlessThere(client.create('Role', { metadata, rules }, { signal }));
      const subjects = [
        ...nodes.map((node) => ({ kind: 'User', apiGroup: API_GROUP, name: userOf(node) })),
        { kind: 'ServiceAccount', name: account, namespace: SYSTEM_NAMESPACE },
      ];
      const roleRef = { apiGroup: API_GROUP, kind: 'Role', name };
      if (await unlessThere(client.create('RoleBinding', { metadata, roleRef, subjects }, { signal }))) return;
      await client.patch('RoleBinding', name, { subjects }, { signal });
    },
  };
}

function ownerOf({ metadata }: Resource<'Secret'>): object {
  return { apiVersion: 'v1', kind: 'Secret', name: metadata.name, uid: metadata.uid };
}

/** @returns whether it was created now */
async function unlessThere(creating: Promise<unknown>): Promise<boolean> {
  try {
    await creating;
    return true;
  } catch (error) {
    if (isAppError(error, 'exists')) return false;
    throw error;
  }
}
