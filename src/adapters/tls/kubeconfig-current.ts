/** Whether a kubeconfig that was issued earlier can go on being used. */
import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';

const Issued = z.object({
  clusters: z.tuple([
    z.object({ cluster: z.object({ server: z.string(), 'certificate-authority-data': z.base64() }) }),
  ]),
  users: z.tuple([z.object({ user: z.object({ 'client-certificate-data': z.base64() }) })]),
});

/** It is renewed when less than this is left of it. */
const LEFT_MS = 30 * 24 * 60 * 60 * 1000;

/** True when it leads to that server, trusts that authority, and its certificate is of that authority and valid for long. */
export function isKubeconfigCurrent(
  text: string,
  { server, authorityPem, now }: { readonly server: string; readonly authorityPem: string; readonly now: number },
): boolean {
  try {
    const { clusters, users } = Issued.parse(parse(text));
    const [{ cluster }] = clusters;
    const authority = decode(cluster['certificate-authority-data']);
    const certificate = new X509Certificate(decode(users[0].user['client-certificate-data']));
    return (
      cluster.server === server &&
      authority.trim() === authorityPem.trim() &&
      certificate.verify(new X509Certificate(authorityPem).publicKey) &&
      certificate.validToDate.getTime() - now > LEFT_MS
    );
  } catch {
    // Not one of ours, or damaged: a new one is issued in its place.
    return false;
  }
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
