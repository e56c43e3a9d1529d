/** Who may read the keys of encrypted volumes, where the API server does not judge that by itself. */

export interface KeyAccess {
  /**
   * Lets the agents of those nodes read a key, and those of no other. Safe to repeat; what was granted goes with the key.
   *
   * @param secret - name of the Secret with the key, in the namespace of Holdfast
   * @throws {AppError} notFound, while there is no such Secret; denied; unavailable
   */
  grant(secret: string, nodes: readonly string[], signal: AbortSignal): Promise<void>;
}
