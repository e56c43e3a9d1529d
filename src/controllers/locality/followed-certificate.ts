/** The certificate that the controller that leads keeps, as each of them serves with it: from the Secret, whenever that changes. */
import { CERTIFICATE_SECRET } from '../../domain/locality/serving-certificate.ts';
import type { Millis } from '../../ports/clock.ts';
import type { CertificatePair } from '../../ports/serving-authority.ts';
import { createInformer, type InformerDeps } from '../runtime/informer.ts';
import { pairOf } from './keep-certificate.ts';

/**
 * Hands on the first certificate and each later one, until the signal aborts. One that is damaged or gone leaves the one in use.
 *
 * @param use - throws when it cannot be used
 */
export async function followCertificate(
  deps: InformerDeps,
  { idleMs, use }: { readonly idleMs: Millis; readonly use: (certificate: CertificatePair) => void },
  signal: AbortSignal,
): Promise<void> {
  const informer = createInformer(deps, {
    ...{ kind: 'Secret', idleMs, fieldSelector: `metadata.name=${CERTIFICATE_SECRET}` },
  });
  informer.onChange((change) => {
    const pair = change.type === 'deleted' ? undefined : pairOf(change.after);
    try {
      if (pair === undefined) throw new Error('it is gone, or has no tls.crt and tls.key');
      use(pair);
    } catch (error) {
      deps.log.error('the certificate for scheduling cannot be used', { secret: CERTIFICATE_SECRET, err: error });
    }
  });
  await informer.run(signal);
}
