/** One copy's version of an entry. */
export interface EntryVersion {
  readonly type: 'file' | 'folder' | 'symlink' | 'other';
  /** The engine's own identity of the entry. */
  readonly gfid: string;
  readonly sizeBytes: number;
  readonly modifiedAt: string;
  /** Numbers: "0:0". */
  readonly owner: string;
  /** Octal: "0644". */
  readonly mode: string;
  /** Of files only. */
  readonly sha256?: string;
  /** The beginning of a file that is text. */
  readonly firstLines?: readonly string[];
}
