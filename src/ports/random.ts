/** Chance as a port, so a simulation with the same seed runs the same way. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A new RFC 9562 version 4 UUID. */
  uuid(): string;
}
