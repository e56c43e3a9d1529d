/** Keys of a node and what is derived from them. */

export interface CertificateFacts {
  readonly commonName: string | undefined;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface NodeKeys {
  /** A new private key, PKCS #8 PEM. */
  generate(): Promise<string>;
  /** A certificate signing request for the key, PEM. @throws {AppError} precondition, when the key is damaged */
  request(keyPem: string, commonName: string): Promise<string>;
  /** The certificate's facts, if it is one, is for this key and signed by this authority; else undefined. */
  match(certificatePem: string, keyPem: string, authorityPem: string): CertificateFacts | undefined;
}
