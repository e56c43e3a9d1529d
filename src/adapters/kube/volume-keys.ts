/** Keys of encrypted volumes, from the Secrets of the API. */
import { keyMissing, readKey } from '../../domain/volume/volume-key.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import type { VolumeKeys } from '../../ports/volume-keys.ts';

/** Creates the keys; whose agent asks is for the API to judge. */
export function createSecretKeys({ client }: { readonly client: Pick<ResourceClient, 'get'> }): VolumeKeys {
  return {
    read: async (name, signal) => {
      const secret = await client.get('Secret', name, { signal });
      if (secret === undefined) throw keyMissing(name);
      return readKey(secret);
    },
  };
}
