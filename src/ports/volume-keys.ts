/** The keys of encrypted volumes, for the node that keeps a copy of one. */

export interface VolumeKeys {
  /**
   * Reads a key, each time anew: none is kept.
   *
   * The key goes to the standard input of a program and nowhere else: not into a step, a log, an error or a file.
   *
   * @param secret - name of the Secret that holds it
   * @throws {AppError} precondition KeyMissing or KeyUnreadable, which names the Secret; unavailable, while nobody can be asked
   */
  read(secret: string, signal: AbortSignal): Promise<string>;
}
