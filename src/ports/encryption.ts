/** Encryption of what an engine's daemons and mounts on one node send over the network. */
import type { TlsMode } from '../schemas/storage-node.ts';

/** The certificate that the node's daemons use now. */
export interface HeldCertificate {
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
}

/** What a port was seen to speak. */
export interface SpokenProtocol {
  /** "TLSv1.3", where an encrypted conversation with the node's own certificate was begun; undefined where it was not. */
  readonly encrypted?: string;
  /** It answered a question that was not encrypted. */
  readonly answersPlain: boolean;
  /** Why it does not talk encrypted. */
  readonly why?: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface EngineEncryption {
  /** What the daemon on this node speaks; 'unknown' while it does not answer at all. */
  mode(signal: AbortSignal): Promise<TlsMode>;
  /** A restart was begun and not finished. */
  isRestartUnderWay(): Promise<boolean>;
  /** The certificate in use, if it belongs to the key on this node. @throws {AppError} precondition, for files of others */
  certificate(): Promise<HeldCertificate | undefined>;
  /** A signing request (PEM) for this node's key, which is made if there is none, and never leaves the node. */
  request(node: string): Promise<string>;
  /**
   * Takes a certificate into use for everything that is started from now on.
   *
   * @throws {AppError} invalid, when it is not for the key of this node
   */
  install(certificate: { readonly pem: string; readonly authorityPem: string }): Promise<void>;
  /** Restarts everything of the engine on this node but mounts, so that it speaks this. Safe to repeat. */
  restart(mode: 'encrypted' | 'plain', signal: AbortSignal): Promise<void>;
  /** Talks to a port both ways, as proof. */
  look(endpoint: Endpoint, signal: AbortSignal): Promise<SpokenProtocol>;
}
