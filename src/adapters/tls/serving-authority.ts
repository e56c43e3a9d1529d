/** The port of that name, by the authority of authority.ts and what Node can tell of certificates. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { SERVING_DAYS, type ValidityFacts } from '../../domain/locality/serving-certificate.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ServingAuthority } from '../../ports/serving-authority.ts';
import { generateAuthority, openAuthority } from './authority.ts';

const ORIGIN = { certificate: "the certificate of the scheduling's authority", key: 'its key' };

/** Creates it. */
export function createServingAuthority(clock: Pick<Clock, 'now'>): ServingAuthority {
  return {
    makeAuthority: (keyPem) => generateAuthority(clock, keyPem),
    issue: async (authority, names) => {
      const opened = await openAuthority(clock, authority, ORIGIN);
      return opened.issueServerCertificate({ dnsNames: names, ipAddresses: [], days: SERVING_DAYS });
    },
    lookAtAuthority: async ({ certificatePem, keyPem }) =>
      factsOf(certificatePem, keyPem, (certificate) => certificate.ca && certificate.verify(certificate.publicKey)),
    lookAtCertificate: async ({ certificatePem, keyPem }, authorityPem, names) =>
      factsOf(certificatePem, keyPem, (certificate) => {
        const authority = new X509Certificate(authorityPem);
        return (
          certificate.checkIssued(authority) &&
          certificate.verify(authority.publicKey) &&
          names.every((name) => certificate.checkHost(name) !== undefined)
        );
      }),
  };
}

function factsOf(
  certificatePem: string,
  keyPem: string,
  isGood: (certificate: X509Certificate) => boolean,
): ValidityFacts | undefined {
  try {
    const certificate = new X509Certificate(certificatePem);
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem)) || !isGood(certificate)) return undefined;
    return { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() };
  } catch {
    // Damaged, which is the same as not having it: a new one is made.
    return undefined;
  }
}
