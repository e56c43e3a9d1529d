/** The promise that what is encrypted can be read: its key is kept as long as there is any of it. */
import { isAppError } from '../../src/domain/errors.ts';
import { readKey } from '../../src/domain/volume/volume-key.ts';
import type { Secret } from '../../src/schemas/kubernetes.ts';
import type { Check, CheckContext } from './invariants.ts';

/** The key of every encrypted copy on any disk is in some Secret. */
export function createKeyCheck({ world, gluster, report }: CheckContext): Check {
  return {
    onTick: () => {
      const copies = [...gluster.state.nodes.values()].flatMap((node) => [...node.copies.values()]);
      const keys = new Set(copies.flatMap(({ key }) => key ?? []));
      if (keys.size === 0) return;
      for (const { read } of world.resources.list('Secret', {}).items) keys.delete(keyOf(read() as unknown as Secret));
      if (keys.size > 0) report(`${keys.size} keys are lost, and with them what is encrypted`);
    },
  };
}

function keyOf(secret: Secret): string {
  try {
    return readKey(secret);
  } catch (error) {
    if (!isAppError(error, 'precondition')) throw error;
    return ''; // what a test has put there is no key
  }
}
