/** Who may speak to whom: certificates for the embedded API server and for each of its clients. */

/** A certificate with its private key, both PEM. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PKCS #8; belongs in a file of mode 0600 or nowhere. */
  readonly keyPem: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

export interface ServerCertificateRequest {
  /** DNS names that clients use, such as "localhost". */
  readonly dnsNames: readonly string[];
  /** Addresses that clients use. */
  readonly ipAddresses: readonly string[];
  /** Days of validity. */
  readonly days: number;
}

export interface ClientCertificateRequest {
  /** User name: "admin", "holdfast:node:kube1". */
  readonly commonName: string;
  /** Group: "holdfast:admins", "holdfast:nodes", "holdfast:controllers". */
  readonly organization: string;
  /** Days of validity. */
  readonly days: number;
}

/** A certificate for a key that stays where it is. */
export interface NodeCertificateRequest {
  /** Signing request (PKCS #10), PEM; of its contents only the key is taken over. */
  readonly requestPem: string;
  /** Name of the node that is known to have asked; the request must be for the same. */
  readonly node: string;
  /** Days of validity. */
  readonly days: number;
}

export interface CertificateAuthority {
  /** What clients and servers trust, PEM. */
  readonly certificatePem: string;
  /** @throws {AppError} invalid, when no name or address is given or one is malformed */
  issueServerCertificate(request: ServerCertificateRequest): Promise<IssuedCertificate>;
  /** @throws {AppError} invalid, for an empty name or group */
  issueClientCertificate(request: ClientCertificateRequest): Promise<IssuedCertificate>;
  /**
   * Signs a node's request: for both ends of a connection, in the name of that node and nobody else.
   *
   * @throws {AppError} invalid, when it is no request, not signed with its own key, or names somebody else
   */
  signNodeCertificate(request: NodeCertificateRequest): Promise<{ readonly certificatePem: string }>;
}
