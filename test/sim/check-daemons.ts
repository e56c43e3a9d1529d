/** What is promised about the daemons of the engine themselves: who they are, and what they speak. */
import type { GlusterStep } from '../../src/engines/gluster/steps.ts';
import type { Check, CheckContext } from './invariants.ts';

const OF_IDENTITY: ReadonlySet<GlusterStep['step']> = new Set(['takeIdentity', 'learnAnew']);

/**
 * A daemon that is restarted to speak otherwise while it learns of the volumes may never learn of them; one that speaks
 * otherwise already learns nothing.
 */
export function createDaemonCheck({ seen, encryptions, report }: CheckContext): Check {
  return {
    onEffect: (step, node) => {
      if (!OF_IDENTITY.has(step.step)) return;
      const daemon = encryptions.get(node);
      const isEncrypted = seen.StorageCluster.get('default')?.status?.tls?.isEncrypted === true;
      if (daemon?.isRestarting === true)
        report(`${node}: ${step.step} while its daemon is restarted to speak otherwise`);
      if (daemon?.spoken !== (isEncrypted ? 'encrypted' : 'plain')) {
        report(`${node}: ${step.step} while its daemon is not understood by the others`);
      }
    },
  };
}
