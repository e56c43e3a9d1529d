/** Files written the careful way: at a known place, and synced before anyone is told. For the ledger and its writer. */

export interface DurableFile {
  size(): Promise<number>;
  /** Reads up to `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * Writes all of `bytes` at `offset`. After an error nobody knows which of them are in the file.
   *
   * @throws {AppError} unavailable, with the system's error code (EIO, ENOTCONN, ...) as its reason
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /**
   * Returns when everything written, and the size of the file, is on stable storage (fdatasync). After an error close
   * the file and write again: the system may have dropped what it could not write, and would not say so twice.
   *
   * @throws {AppError} unavailable, as for write
   */
  sync(): Promise<void>;
  /** Cuts the file to `size` bytes. @throws {AppError} unavailable, as for write */
  truncate(size: number): Promise<void>;
  /** Releases the file. Never throws: there is nothing a caller could do about it. */
  close(): Promise<void>;
}

export interface LedgerFiles {
  /**
   * Opens a file for reading and writing.
   *
   * @param options - `create`: make it when it is missing, and its name durable. Without it a missing file is an error,
   *   which is what a writer wants that lost its mount: it must not go on in the folder underneath
   * @throws {AppError} notFound (the file, or its folder), denied, invalid (it is a folder), unavailable (anything else)
   */
  open(path: string, options: { readonly create: boolean }): Promise<DurableFile>;
}
