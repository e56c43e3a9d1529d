/** Chance as a port, so a simulation with the same seed runs the same way. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A new RFC 9562 version 4 UUID. */
  uuid(): string;
  /** A new secret: 64 characters of base64url (RFC 4648), of 384 bits that nobody can guess. */
  secret(): string;
}
