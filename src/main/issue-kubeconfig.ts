/** A kubeconfig with a fresh client certificate of Holdfast's own authority. */
import { renderKubeconfig } from '../adapters/tls/kubeconfig.ts';
import type { CertificateAuthority } from '../ports/certificate-authority.ts';

export interface KubeconfigSubject {
  /** "https://10.91.1.254:7443" */
  readonly server: string;
  readonly user: string;
  /** One of the groups of shells/kube-api/authorize.ts. */
  readonly group: string;
  readonly days: number;
}

/** The text of the kubeconfig; it holds a private key. */
export async function issueKubeconfig(authority: CertificateAuthority, subject: KubeconfigSubject): Promise<string> {
  const { server, user, group, days } = subject;
  const client = await authority.issueClientCertificate({ commonName: user, organization: group, days });
  return renderKubeconfig({ server, authorityPem: authority.certificatePem, client, user });
}
