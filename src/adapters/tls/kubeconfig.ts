/** Writes kubeconfig files, with the certificates inside so that one file is all a client needs. */
import { stringify } from 'yaml';
import type { IssuedCertificate } from '../../ports/certificate-authority.ts';

export interface KubeconfigInput {
  /** "https://127.0.0.1:6443". */
  readonly server: string;
  readonly authorityPem: string;
  readonly client: Pick<IssuedCertificate, 'certificatePem' | 'keyPem'>;
  /** Name of the user in the file; the server goes by the certificate. */
  readonly user: string;
  /** Name of the cluster and the context. Default "holdfast". */
  readonly cluster?: string;
  /** Default namespace of kubectl. */
  readonly namespace?: string;
}

/** The text of a kubeconfig; it holds a private key, so its file must have mode 0600. */
export function renderKubeconfig(input: KubeconfigInput): string {
  const { server, authorityPem, client, user, cluster = 'holdfast', namespace } = input;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, 'certificate-authority-data': base64(authorityPem) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(client.certificatePem),
          'client-key-data': base64(client.keyPem),
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user, ...(namespace === undefined ? {} : { namespace }) } }],
    'current-context': cluster,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
