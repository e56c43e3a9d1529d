/** Answers the nodes' requests for certificates for storage traffic. */
import { isAppError } from '../../domain/errors.ts';
import type { CertificateAuthority } from '../../ports/certificate-authority.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { ControllerDeps } from '../deps.ts';
import { createReconcileLoop, type ReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

/** Agents renew them after two thirds of that. */
const CERTIFICATE_DAYS = 90;

type Authority = Pick<CertificateAuthority, 'certificatePem' | 'signNodeCertificate'>;

/**
 * The loop behind StorageNode.status.certificate.
 *
 * Invariant: a node gets a certificate for its own name only. The status of a StorageNode is written by the agent of that
 * very node, as its client certificate proves (shells/kube-api/authorize.ts), and the authority compares the request with
 * the name of the object.
 */
export function createSigningLoop(deps: ControllerDeps, authority: Authority): ReconcileLoop {
  const { informers, events, statusWriter } = deps;

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = informers.StorageNode.get(name);
    const requestPem = node === undefined ? undefined : openRequest(node);
    const isMember = informers.StorageCluster.list().some(({ spec }) => spec.nodes.includes(name));
    if (node === undefined || requestPem === undefined || !isMember) return undefined;
    try {
      const request = { requestPem, node: name, days: CERTIFICATE_DAYS };
      const { certificatePem: pem } = await authority.signNodeCertificate(request);
      const certificate = { pem, authorityPem: authority.certificatePem, requestPem };
      await statusWriter.write('StorageNode', node, { certificate }, { signal });
      events.normal(node, 'CertificateIssued', `for storage traffic, valid for ${CERTIFICATE_DAYS} days`);
    } catch (error) {
      // Asking again would not make the same request a better one.
      if (!isAppError(error, 'invalid')) throw error;
      events.warning(node, 'CertificateRefused', error.message);
    }
    return undefined;
  };

  return createReconcileLoop(deps, {
    name: 'certificates',
    watches: [
      watchKeys(informers.StorageNode, (node) => [node.metadata.name]),
      watchKeys(informers.StorageCluster, (cluster) => cluster.spec.nodes),
    ],
    reconcile,
  });
}

/** What the node asks and was not answered yet. */
function openRequest({ metadata, status }: Resource<'StorageNode'>): string | undefined {
  const { tls, certificate } = status ?? {};
  if (metadata.deletionTimestamp !== undefined || certificate?.requestPem === tls?.request) return undefined;
  return tls?.request;
}
