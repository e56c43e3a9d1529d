/** An authority whose one task is to say who answers a scheduler and a webhook, and the certificates that it signs. */
import type { ValidityFacts } from '../domain/locality/serving-certificate.ts';

/** A certificate with its key (PKCS #8), both PEM. */
export interface CertificatePair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface ServingAuthority {
  /** @param keyPem - of the authority that this one follows, under the same name; a new key when left out */
  makeAuthority(keyPem?: string): Promise<CertificatePair>;
  /**
   * Signs a certificate with a key of its own.
   *
   * @throws {AppError} precondition, when the authority is damaged or has expired; invalid, for a name that is none
   */
  issue(authority: CertificatePair, names: readonly string[]): Promise<CertificatePair>;
  /** Undefined when it is damaged, is no authority, or its key is another one's. */
  lookAtAuthority(authority: CertificatePair): Promise<ValidityFacts | undefined>;
  /** Undefined when it is damaged, not signed by that authority, not for all the names, or its key is another one's. */
  lookAtCertificate(
    pair: CertificatePair,
    authorityPem: string,
    names: readonly string[],
  ): Promise<ValidityFacts | undefined>;
}
