/** Reads a file line by line through whatever can read bytes of it: a durable file, or a host's files. */
import { createLineSplitter } from '../../domain/ledger/split-lines.ts';

/** Reads up to `length` bytes from `offset`; fewer at the end of the file. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

const CHUNK_BYTES = 256 * 1024;

/** The file's bytes in order, in pieces. */
export async function* readChunks(read: ReadBytes): AsyncIterable<Uint8Array> {
  for (let offset = 0; ; ) {
    const chunk = await read(offset, CHUNK_BYTES);
    if (chunk.length === 0) return;
    offset += chunk.length;
    yield chunk;
  }
}

export interface ReadLine {
  /** Undefined when it is longer than any line may be. */
  readonly text: string | undefined;
  /** False for what stands behind the last newline. */
  readonly isEnded: boolean;
}

/** The file's lines in order. */
export async function* readLines(read: ReadBytes, maxBytes: number): AsyncIterable<ReadLine> {
  let lines: ReadLine[] = [];
  const splitter = createLineSplitter(maxBytes, (text, isEnded) => {
    lines.push({ text, isEnded });
  });
  for await (const chunk of readChunks(read)) {
    splitter.push(chunk);
    yield* lines;
    lines = [];
  }
  splitter.end();
  yield* lines;
}
